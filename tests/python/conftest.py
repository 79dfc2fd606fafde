# SPDX-License-Identifier: Apache-2.0
"""Models for the tests: fetched ones from the package registry, and small ones written here with onnx.helper."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

os.environ["KAWARA_CACHE"] = "off"  # before kawara looks: no test reads what an earlier one left

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "models"))
from inputs import make_input  # noqa: E402
from randomise import randomised  # noqa: E402

MODELS = {entry["name"]: entry for entry in json.loads((ROOT / "tests" / "models" / "models.json").read_text())}


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "slow" in item.keywords and not config.getoption("--run-slow"):
            item.add_marker(pytest.mark.skip(reason="slow: --run-slow runs it"))


@pytest.fixture(scope="session")
def fetched():
    """fetched("ppocr4_rec"): path of a public model, downloaded once into .cache/models; seeded weights where it has none."""
    folder = Path(os.environ.get("KAWARA_TEST_MODELS", ROOT / ".cache" / "models"))

    def path_of(name: str) -> str:
        path = folder / MODELS[name]["file"]
        if not path.exists():
            subprocess.run([sys.executable, ROOT / "tests" / "models" / "fetch.py", ROOT / "tests" / "models" / "models.json", folder, "--only", name],
                           check=True)
        return str(randomised(name, path) if MODELS[name].get("randomise") else path)

    return path_of


@pytest.fixture(scope="session")
def feeds_of():
    """feeds_of("ppocr4_rec", "inputs_alt"): the inputs that the list states for a model."""
    return lambda name, which="inputs": {spec["name"]: make_input(name, spec) for spec in MODELS[name][which]}


@pytest.fixture
def model_file(tmp_path):
    """model_file(nodes, inputs, outputs, constants): writes an ONNX file and returns its path."""

    def write(nodes, inputs, outputs, constants=(), name="model.onnx", opset=17):
        graph = helper.make_graph(
            list(nodes), "test",
            [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
            [helper.make_tensor_value_info(n, t, s) for n, t, s in outputs],
            [onnx.numpy_helper.from_array(np.asarray(value), n) for n, value in constants])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="tests", ir_version=8)
        model.metadata_props.add(key="author", value="nobody")
        path = tmp_path / name
        onnx.save(model, path)
        return str(path)

    return write


@pytest.fixture
def relu_model(model_file):
    """y = relu(x), float32 [batch, 4]."""
    return model_file([helper.make_node("Relu", ["x"], ["y"], name="rectify")],
                      [("x", TensorProto.FLOAT, ["batch", 4])], [("y", TensorProto.FLOAT, ["batch", 4])])
