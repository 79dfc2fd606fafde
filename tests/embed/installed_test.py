# SPDX-License-Identifier: Apache-2.0
"""An installation that was moved still serves programs outside of the tree, by find_package and by pkg-config."""

import shlex
import tempfile
import unittest
from pathlib import Path

from place import BUILD, COMPILER, ROOT, VERSION, output_of

OUTSIDE = ROOT / "tests/embed/outside"
WANTED = f"{VERSION}: 0 0 1 5\nnot_found\n"


def field(number, value):
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(data)]) + data


def relu():
    """y = relu(x) of four floats, as ONNX's bytes."""
    tensor = lambda name: field(1, name) + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 4)))))
    graph = field(1, field(1, "x") + field(2, "y") + field(4, "Relu")) + field(2, "g") + field(11, tensor("x")) + field(12, tensor("y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        place = Path(cls.folder.name)
        output_of("cmake", "--install", BUILD, "--prefix", place / "first")
        cls.prefix = (place / "first").rename(place / "second")  # nothing is left where it was installed to
        cls.library = next(cls.prefix.rglob("libkawara.so")).parent
        cls.model = place / "relu.onnx"
        cls.model.write_bytes(relu())

    def test_by_find_package(self):
        build = Path(self.folder.name, "by_cmake")
        told = output_of("cmake", "-S", OUTSIDE, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}")
        self.assertIn(f"found kawara {VERSION}", told)
        output_of("cmake", "--build", build)
        self.assertEqual(output_of(build / "outside", self.model), WANTED)

    def test_by_pkg_config(self):
        program = Path(self.folder.name, "by_pkg_config")
        place = {"PKG_CONFIG_PATH": str(self.library / "pkgconfig")}
        self.assertEqual(output_of("pkg-config", "--modversion", "kawara", **place).strip(), VERSION)
        flags = shlex.split(output_of("pkg-config", "--cflags", "--libs", "kawara", **place))
        output_of(COMPILER, "-std=c++20", OUTSIDE / "main.cpp", "-o", program, *flags)
        self.assertEqual(output_of(program, self.model, LD_LIBRARY_PATH=str(self.library)), WANTED)

    def test_another_minor_version_is_not_taken(self):
        build = Path(self.folder.name, "too_new")
        source = Path(self.folder.name, "wants_0_2")
        source.mkdir()
        (source / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\nfind_package(kawara 0.2 CONFIG REQUIRED)\n")
        with self.assertRaisesRegex(AssertionError, r"compatible\s+with\s+requested\s+version"):
            output_of("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_licences_and_the_chips_tables_are_there(self):
        for name in ("LICENSE", "GPL-2.0.txt", "MIT.txt", "hw/commands.def", "errors.def", "environment.def"):
            self.assertTrue(any(path.as_posix().endswith(name) for path in self.prefix.rglob("*")), name)

    def test_what_only_the_library_is_built_with_is_not(self):
        self.assertTrue((ROOT / "include/kawara/file/table_reader.h").exists())
        self.assertEqual([path for path in self.prefix.rglob("*") if "include/kawara/file" in path.as_posix() or path.suffix == ".fbs"], [])

    def test_nothing_names_the_place_of_the_tree(self):
        for path in [*self.prefix.rglob("*.cmake"), *self.prefix.rglob("*.pc")]:
            self.assertNotIn(str(ROOT), path.read_text(), path)
            self.assertNotIn("/first", path.read_text(), path)


if __name__ == "__main__":
    unittest.main()
