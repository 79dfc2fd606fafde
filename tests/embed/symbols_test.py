# SPDX-License-Identifier: Apache-2.0
"""libkawara shows what KAWARA_API marks and nothing of its inside."""

import re
import unittest

from place import BUILD, ROOT, output_of

INSIDE = re.compile(r"\b(kawara::(compiler|emulator|hw|file)::|flatbuffers|nlohmann|protozero|spv|spvtools|XXH)")
# Templates of the standard library and fmt that the compiler instantiates: weak, and shared by whoever has them.
TEMPLATES = re.compile(r"^[WVu] (std::|fmt::|(typeinfo|vtable|typeinfo name|guard variable|construction vtable) for (std::|fmt::)|.*\b(std|__gnu_cxx|fmt)::)")


def shown():
    """Defined dynamic symbols as "TYPE name"."""
    lines = output_of("nm", "-D", "--defined-only", "-C", BUILD / "lib/libkawara.so").splitlines()
    return [re.sub(r"^[0-9a-f]* +", "", line) for line in lines]


def parts(symbol):
    """The symbol's own name, without arguments and template's arguments: "kawara::Device::open"."""
    return re.sub(r"[(<\[].*", "", symbol[2:])


class Symbols(unittest.TestCase):
    def test_are_the_public_interface_alone(self):
        found = []
        for symbol in shown():
            name = re.sub(r"^(typeinfo name|typeinfo|vtable) for ", "", parts(symbol))
            if INSIDE.search(name) or not (name.startswith("kawara::") or TEMPLATES.match(symbol)):
                found.append(symbol)
        self.assertEqual(found, [])

    def test_hold_what_the_headers_mark(self):
        names = {parts(symbol) for symbol in shown()}
        marked = set()
        for header in (ROOT / "include/kawara").glob("*.h"):
            marked |= set(re.findall(r"^KAWARA_API [^;(]*?\b(\w+)\(", header.read_text(), re.MULTILINE))
        self.assertGreater(len(marked), 10)
        self.assertEqual({name for name in marked if f"kawara::{name}" not in names}, set())


if __name__ == "__main__":
    unittest.main()
