# SPDX-License-Identifier: Apache-2.0
"""The tool kawara-opt as a person runs it. Called with its path and the project's version."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

TOOL, VERSION = sys.argv.pop(1), sys.argv.pop(1)
FOLDER = Path(__file__).parent

TWO = """graph "first" opset 13 (%x: f32[4]) {
  %i = Identity(%x)
  %y = Relu(%i)
  return %y
}
graph "second" opset 13 (%x: f32[n,4]) {
  %y = Neg(%x)
  return %y
}
"""
ONE = TWO[:TWO.index('graph "second"')]


def run(*arguments, text=None):
    return subprocess.run([TOOL, *arguments], input=text, capture_output=True, text=True, timeout=60)


class KawaraOpt(unittest.TestCase):
    def refused(self, code, words, *arguments, text=None):
        done = run(*arguments, text=text)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(words, done.stderr)

    def test_every_graph_file_is_run_as_it_says(self):
        files = sorted(FOLDER.glob("*/*.graph"))
        self.assertGreater(len(files), 5)
        for file in files:
            with self.subTest(file=file.name):
                text = file.read_text()
                command = re.search(r"# RUN: kawara-opt (.*)", text).group(1)
                done = run(*command.replace("%s", str(file)).split())
                for label in re.findall(r"# CHECK-LABEL: (.*)", text):
                    self.assertIn(" ".join(label.split()), " ".join(done.stdout.split()))
                self.assertEqual(done.stdout.count("\ngraph ") + 1, len(re.findall(r"^graph ", text, re.MULTILINE)))

    def test_without_a_pass_the_graph_is_printed_as_it_is(self):
        done = run("-", text=TWO)
        self.assertEqual(done.returncode, 0)
        self.assertIn("Identity", done.stdout)
        self.assertEqual(run("-", text=done.stdout).stdout, done.stdout)

    def test_passes_run_in_the_order_given(self):
        self.assertNotIn("Identity", run("--pass=specialise", "--pass=remove_identity", "-", text=ONE).stdout)
        self.assertIn("Identity", run("--pass=fuse", "-", text=ONE).stdout)

    def test_shapes_are_bound_by_name(self):
        done = run("--pass=specialise", "--shape", "x=3,4", "-", text=TWO[TWO.index('graph "second"'):])
        self.assertIn("f32[3,4]", done.stdout)

    def test_an_error_takes_its_graphs_place(self):
        done = run("--pass=specialise", "-", text=TWO)
        self.assertEqual(done.returncode, 1)
        self.assertIn('graph "first" opset', done.stdout)
        self.assertIn('graph "second" error shape_required: ', done.stdout)

    def test_commands_are_text_that_names_engines_and_waits(self):
        done = run("--emit=commands", "-", text=ONE)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(re.findall(r"^(\w+) \{", done.stdout, re.MULTILINE), ["copy", "vector", "copy"])
        self.assertIn("wait = [DMA_IN:1]", done.stdout)

    def test_a_plan_lists_buffers_with_places_and_lives(self):
        done = run("--emit=plan", "--target=k1-mini", "-", text=ONE)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"cycles [1-9][0-9]*\n")
        self.assertEqual(len(re.findall(r"^command ", done.stdout, re.MULTILINE)), 3)
        self.assertEqual(len(re.findall(r"^buffer \d+ sram \[\d+, \d+\) commands \d+ to \d+$", done.stdout, re.MULTILINE)), 2)

    def test_a_list_of_passes(self):
        names = [line.split(":")[0] for line in run("--list").stdout.splitlines()]
        self.assertEqual(names[0], "specialise")
        self.assertIn("fuse", names)
        self.assertIn("narrow_bf16, narrow_f16", names)

    def test_its_version_is_the_projects(self):
        done = run("--version")
        self.assertEqual((done.returncode, done.stdout), (0, f"kawara-opt {VERSION}\n"))

    def test_mistakes_are_named(self):
        self.refused(2, "there is no pass 'melt', but specialise, ", "--pass=melt", "-", text=ONE)
        self.refused(2, "standard input:2: ", "-", text='graph "g" (%x: f32[4]) {\n  %y == Relu(%x)\n}\n')
        self.refused(2, "it holds no graph", "-", text="# nothing\n")
        self.refused(2, "nowhere.graph: there is no such file", "nowhere.graph")
        self.refused(2, "nowhere.onnx", "nowhere.onnx")
        self.refused(2, "target 'k9' is not one of k1, k1-mini", "--target=k9", "-", text=ONE)
        self.refused(2, "NAME=1,3,8,8 is the form", "--shape=x", "-", text=ONE)
        self.refused(2, "a FILE is needed")
        self.assertNotEqual(run("--emit=picture", "-", text=ONE).returncode, 0)


if __name__ == "__main__":
    unittest.main()
