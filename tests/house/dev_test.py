# SPDX-License-Identifier: Apache-2.0
"""What ./dev promises without building anything."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from tree import ROOT


def dev(*arguments):
    return subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True, timeout=30, check=False)


def call(script):
    """Runs bash with dev's functions at hand."""
    return subprocess.run(["bash", "-c", f"source {ROOT}/dev; {script}"], capture_output=True, text=True, timeout=30, check=False)


class Door(unittest.TestCase):
    def test_help_lists_every_command(self):
        listed = set(re.findall(r"^  (\w+)", dev("help").stdout, re.MULTILINE))
        body = (ROOT / "dev").read_text().split("\nmain() {")[1]
        handled = set(re.findall(r"^    (\w+)[) |]", body, re.MULTILINE))
        self.assertEqual(listed, handled)
        self.assertEqual(dev("help").returncode, 0)

    def test_a_wrong_word_is_named_and_exits_2(self):
        for arguments, word in [(["tset"], "tset"), (["test", "--fast"], "--fast"), (["test", "--preset", "msan"], "msan"),
                                (["test", "--preset"], "--preset"), (["test", "--preset", "fuzz"], "./dev fuzz"), (["fuzz", "nothing"], "nothing"),
                                (["fuzz", "--seconds", "0"], "'0'"), (["clean", "all"], "all"), (["format", "x"], "x")]:
            result = dev(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(word, result.stderr.splitlines()[0])
            self.assertIn("./dev COMMAND", result.stderr)
            self.assertEqual(result.stdout, "")


class Packages(unittest.TestCase):
    def test_only_what_is_missing_or_too_old_is_installed(self):
        result = call("missing bash 'bash>=1.0' 'coreutils>=999' kawara-no-such-package")
        self.assertEqual(result.stdout.split(), ["coreutils", "kawara-no-such-package"])

    def test_a_failing_step_shows_its_end_and_exits_1(self):
        with tempfile.TemporaryDirectory() as folder:
            result = call(f"cd {folder}; broken() {{ echo the reason; return 3; }}; step build 'a text' broken; echo went on")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the reason", result.stderr)
        self.assertNotIn("went on", result.stdout)


class Backports(unittest.TestCase):
    def derive(self, **written):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "sources.list.d").mkdir()
            for name, text in written.items():
                Path(folder, name.replace("__", "/")).write_text(text)
            result = call(f"backports_source {folder}")
        self.assertEqual(result.returncode, 0, result.stderr)
        return set(result.stdout.splitlines())

    def test_come_from_the_place_of_an_entry_in_the_new_form(self):
        self.assertEqual(self.derive(**{"sources.list.d__debian.sources": """# a comment
Types: deb
# another
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""}), {"Types: deb", "URIs: http://mirror.example/debian", "Suites: bookworm-backports", "Components: main",
        "Signed-By: /usr/share/keyrings/debian.gpg"})

    def test_come_from_the_right_one_of_several_files(self):
        entry = "Types: deb\nURIs: http://{0}.example/debian\nSuites: {0}\nComponents: main\n"
        derived = self.derive(**{f"sources.list.d__{suite}.sources": entry.format(suite) for suite in ("aaa", "bookworm", "zzz")})
        self.assertIn("URIs: http://bookworm.example/debian", derived)
        self.assertEqual(len(derived), 4)

    def test_keep_a_key_that_stands_in_the_entry(self):
        entry = self.derive(**{"sources.list.d__debian.sources": """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
"""})
        self.assertLessEqual({"Signed-By:", " -----BEGIN PGP PUBLIC KEY BLOCK-----", " .", " abc"}, entry)

    def test_come_from_the_place_of_an_entry_in_the_old_form(self):
        self.assertEqual(self.derive(**{"sources.list": """# deb http://old.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://mirror.example/security bookworm-security main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm main contrib
"""}), {"Types: deb", "URIs: http://mirror.example/debian", "Suites: bookworm-backports", "Components: main",
        "Signed-By: /usr/share/keyrings/debian.gpg"})

    def test_are_not_made_of_another_suite_or_a_disabled_entry(self):
        self.assertEqual(self.derive(), set())
        self.assertEqual(self.derive(**{"sources.list": "deb http://mirror.example/debian trixie main\n"}), set())
        self.assertEqual(self.derive(**{"sources.list.d__a.sources": """Enabled: no
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
"""}), set())


if __name__ == "__main__":
    unittest.main()
