# SPDX-License-Identifier: Apache-2.0
"""The type stubs name what the extension module has, no more and no less."""

import ast

from conftest import ROOT

from kawara import _kawara


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_the_stubs_name_what_the_module_exports():
    tree = ast.parse((ROOT / "python" / "kawara" / "_kawara.pyi").read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: public(item.name for item in node.body if isinstance(item, ast.FunctionDef)) for node in tree.body if isinstance(node, ast.ClassDef)}
    assert functions | set(classes) == public(vars(_kawara))
    for name, members in classes.items():
        assert members == public(vars(getattr(_kawara, name))), name


def test_the_stubs_name_the_arguments_of_every_function():
    tree = ast.parse((ROOT / "python" / "kawara" / "_kawara.pyi").read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            signature = getattr(_kawara, node.name).__doc__.splitlines()[0]
            for argument in node.args.args:
                assert f"{argument.arg}:" in signature, signature
