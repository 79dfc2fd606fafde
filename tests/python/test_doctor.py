# SPDX-License-Identifier: Apache-2.0
"""What the doctor finds, in surroundings that are made up for it, and what `cache` and `help environment` print."""

import json
import os
import resource
import subprocess
import sys

import pytest
from conftest import ROOT

import kawara
from kawara import _kawara, doctor


def run(*arguments, **environment):
    done = subprocess.run([sys.executable, "-m", "kawara.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment})
    assert "Traceback" not in done.stderr, done.stderr
    return done


def examined(**environment):
    """(exit status, findings by check) of `kawara doctor --json`."""
    done = run("doctor", "--json", **environment)
    result = json.loads(done.stdout)
    assert result["usable"] == (done.returncode == 0)
    findings = {}
    for finding in result["findings"]:
        assert finding["state"] in doctor.STATES and finding.keys() == {"check", "state", "code", "message", "remedy"}
        if finding["state"] == "problem":
            assert finding["code"] in _kawara.errors() and finding["remedy"], finding
        findings.setdefault(finding["check"], []).append(finding)
    return done.returncode, findings


def test_a_machine_that_will_do(tmp_path):
    status, findings = examined(KAWARA_CACHE=str(tmp_path / "cache"))
    assert status == 0
    for check in ("version", "vulkan", "cache", "job on auto", "job on emulator:reference,config=k1", "job on emulator:vulkan,config=k1"):
        assert [finding["state"] for finding in findings[check]] == ["ok"], findings[check]
    assert "ms" in findings["job on auto"][0]["message"]
    assert len(findings["not checked"]) > 1


def test_no_vulkan_driver():
    status, findings = examined(VK_DRIVER_FILES="/nowhere.json", VK_ICD_FILENAMES="/nowhere.json")
    assert status == 1
    finding, = findings["vulkan"]
    assert finding["state"] == "problem" and finding["code"] == "device_unavailable" and "mesa-vulkan-drivers" in finding["remedy"]
    assert findings["job on auto"][0]["code"] == "device_unavailable"
    assert findings["job on emulator:reference,config=k1"][0]["state"] == "ok"


def test_without_vulkan_the_reference_may_be_the_default():
    status, _ = examined(VK_DRIVER_FILES="/nowhere.json", VK_ICD_FILENAMES="/nowhere.json", KAWARA_DEVICE="emulator:reference")
    assert status == 0


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("no folder")
    status, findings = examined(KAWARA_CACHE=str(tmp_path / "file"), KAWARA_DEVICE="emulator:reference")
    assert status == 0
    assert findings["cache"][0]["state"] == "problem" and findings["cache"][0]["code"] == "io_failed"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_folder_of_somebody_else(tmp_path):
    tmp_path.chmod(0o500)
    _, findings = examined(KAWARA_CACHE=str(tmp_path / "cache"))
    assert findings["cache"][0]["code"] == "io_failed"


def test_a_cache_that_is_off_and_one_that_means_nothing():
    assert examined(KAWARA_CACHE="off")[1]["cache"][0]["state"] == "warning"
    finding = examined(KAWARA_CACHE="on")[1]["cache"][0]
    assert finding["code"] == "invalid_argument" and "'on'" in finding["message"]


def test_a_misspelt_variable():
    assert any("KAWARA_LGO" in finding["message"] for finding in examined(KAWARA_LGO="debug")[1]["environment"])


def test_versions_that_differ():
    finding, = doctor.compared("0.2.0", "0.2.0", "0.1.0")
    assert finding.code == "version_mismatch" and "0.1.0" in finding.message
    assert doctor.compared("0.1.0", "0.1.0", "0.1.0")[0].state == "ok"


def test_an_old_mesa_and_a_device_that_lacks_something(monkeypatch):
    assert doctor.slow_mesa("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)")
    assert not doctor.slow_mesa("llvmpipe Mesa 25.0.7-2~bpo12+1") and not doctor.slow_mesa("radv Mesa 22.3.6")
    monkeypatch.setattr(_kawara, "vulkan_devices", lambda: [{"name": "old", "driver": "d 1", "lacks": "bufferDeviceAddress"}])
    warning, problem = doctor.vulkan()
    assert "bufferDeviceAddress" in warning.message and problem.state == "problem"


def test_limits_on_memory():
    small, large, unlimited = 1 << 20, 1 << 40, resource.RLIM_INFINITY
    states = {finding.check: finding for finding in doctor.memory_against(1 << 34, small, small, small)}
    assert states["address space"].code == "out_of_memory" and states["memory"].state == "warning"
    assert {finding.state for finding in doctor.memory_against(1 << 34, unlimited, unlimited, large)} == {"ok"}
    assert any(finding.state == "unchecked" for finding in doctor.memory_against(1 << 34, large, small, None))


def test_a_limit_on_addresses_is_found_by_the_whole_run():
    script = ("import resource; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30));"
              "from kawara import doctor; print(*(f.check + '=' + f.code for f in doctor.examine() if f.state == 'problem'), sep='\\n')")
    problems = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "address space=out_of_memory" in problems and "job on auto=out_of_memory" in problems


@pytest.fixture
def accel(tmp_path):
    """accel("kawara"): a made-up /dev/accel and /sys/class/accel with one node of a driver."""

    def make(driver):
        node, device = tmp_path / "dev" / "accel0", tmp_path / "sys" / "accel0" / "device"
        drivers = tmp_path / "drivers" / driver
        for folder in (node.parent, device, drivers):
            folder.mkdir(parents=True)
        node.touch()
        (device / "driver").symlink_to(drivers)
        return tmp_path / "dev", tmp_path / "sys"

    return make


def test_device_nodes(accel, tmp_path):
    assert "none" in doctor.nodes(tmp_path / "absent", tmp_path)[0].message
    folders = accel("kawara")
    denied, = doctor.nodes(*folders, may=lambda *_: False)
    assert denied.state == "problem" and denied.code == "device_unavailable" and "permission denied" in denied.message and "group" in denied.remedy
    assert doctor.nodes(*folders, may=lambda *_: True)[0].state == "warning"


def test_a_node_of_another_driver(accel):
    finding, = doctor.nodes(*accel("other_driver"), may=lambda *_: False)
    assert finding.state == "ok" and "other_driver" in finding.message


def test_wrong_results_are_a_problem(monkeypatch):
    class Wrong(kawara.InferenceSession):
        def run(self, *arguments):
            result = super().run(*arguments)
            result[0] = result[0].copy()
            result[0][0, 0] += 1
            return result

    monkeypatch.setattr(doctor, "InferenceSession", Wrong)
    finding = doctor.job("emulator:reference,config=k1-mini")
    assert finding.state == "problem" and "1 of 64" in finding.message


def test_text_names_the_remedy_of_each_problem():
    done = run("doctor", VK_DRIVER_FILES="/nowhere.json", VK_ICD_FILENAMES="/nowhere.json")
    assert done.returncode == 1 and "not usable" in done.stdout and "remedy: install the Vulkan loader" in done.stdout


def test_the_cache_command(relu_model, tmp_path):
    place = {"KAWARA_CACHE": str(tmp_path / "cache")}
    arguments = ("run", relu_model, "--shape", "x=1,4", "--device", "emulator:reference")
    assert "compiled" in run(*arguments, KAWARA_LOG="info", **place).stderr
    assert "recalled" in run(*arguments, KAWARA_LOG="info", **place).stderr
    shown = json.loads(run("cache", "--json", **place).stdout)
    assert shown["programs"] == 1 and shown["program_bytes"] > 0 and shown["folder"] == place["KAWARA_CACHE"]
    assert str(tmp_path) in run("cache", "--clear", **place).stdout
    assert json.loads(run("cache", "--json", **place).stdout)["programs"] == 0
    assert "off" in run("cache", KAWARA_CACHE="off").stdout


def test_external_data_counts(relu_model, tmp_path):
    """Another file of external data is another model, though the .onnx is the same."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper

    model = helper.make_model(helper.make_graph(
        [helper.make_node("Add", ["x", "c"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])], [onnx.numpy_helper.from_array(np.float32([1, 2, 3, 4]), "c")]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "external.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    script = ("import sys, numpy, kawara; s = kawara.InferenceSession(sys.argv[1], 'emulator:reference');"
              "print(s.run(None, {'x': numpy.zeros(4, numpy.float32)})[0].tolist())")

    def output():
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, env={**os.environ, "KAWARA_CACHE": str(tmp_path / "cache")})
        if "external" in done.stderr and "unsupported" in done.stderr:
            pytest.skip("this version reads no external data")
        return done.stdout.strip()

    first = output()
    if first:
        (tmp_path / "weights.bin").write_bytes(np.float32([5, 6, 7, 8]).tobytes())
        assert (first, output()) == ("[1.0, 2.0, 3.0, 4.0]", "[5.0, 6.0, 7.0, 8.0]")


def test_help_lists_commands_and_variables():
    assert "doctor" in run("help").stdout
    out = run("help", "environment", KAWARA_LOG="error").stdout
    for name, _, standard, meaning in _kawara.variables():
        assert name in out and standard in out and meaning in out
    assert "not_found" in run("help", "nonsense").stderr


def test_a_log_level_that_means_nothing_is_refused(relu_model):
    done = run("run", relu_model, "--shape", "x=1,4", "--device", "emulator:reference", KAWARA_LOG="loud")
    assert done.returncode == 1 and "KAWARA_LOG" in done.stderr and "'loud'" in done.stderr


def test_the_log_tells_what_happens_and_is_silent_by_default(relu_model):
    arguments = ("run", relu_model, "--shape", "x=1,4", "--device", "emulator:reference", "--json")
    assert run(*arguments).stderr == ""
    told = run(*arguments, KAWARA_LOG="info").stderr
    assert "kawara info: opened 'emulator:reference" in told and "kawara info: compiled" in told


def test_one_version_everywhere():
    import importlib.metadata
    import re

    wanted = re.search(r"project\(kawara VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert kawara.__version__ == _kawara.version() == _kawara.built_version() == importlib.metadata.version("kawara") == wanted
    assert run("--version").stdout == f"kawara {wanted}\n"
