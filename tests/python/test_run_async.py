# SPDX-License-Identifier: Apache-2.0
"""run_async: several runs in flight, their results and errors by futures, and a clean end whatever is under way."""

import asyncio
import concurrent.futures
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from onnx import TensorProto, helper

import kawara

DEVICE = "emulator:reference"
SHAPES = {"x": (1, 4)}


def x_of(value):
    return np.full((1, 4), value, np.float32)


@pytest.fixture
def slow_model(model_file):
    """y = x @ x, float32 [500, 500]: some tenths of a second on the reference executor."""
    return model_file([helper.make_node("MatMul", ["x", "x"], ["y"])], [("x", TensorProto.FLOAT, [500, 500])],
                      [("y", TensorProto.FLOAT, [500, 500])], name="slow.onnx")


SLOW = np.eye(500, dtype=np.float32)


@pytest.mark.parametrize("slots", [1, 3])
def test_each_future_has_its_own_runs_outputs(relu_model, slots):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES, slots=slots)
    futures = [session.run_async(None, {"x": x_of(i)}) for i in range(40)]
    for i, future in enumerate(futures):
        np.testing.assert_array_equal(future.result(30)[0], x_of(i))
        assert future.done() and future.exception() is None


def test_it_returns_before_the_run_has_ended(slow_model):
    session = kawara.InferenceSession(slow_model, DEVICE)
    begin = time.monotonic()
    future = session.run_async(["y"], {"x": SLOW})
    returned = time.monotonic() - begin
    assert not future.done()
    np.testing.assert_array_equal(future.result(30)[0], SLOW)
    assert returned < (time.monotonic() - begin) / 4


def test_so_many_are_under_way_as_there_are_slots(slow_model):
    session = kawara.InferenceSession(slow_model, DEVICE, slots=2)
    futures = [session.run_async(None, {"x": SLOW}) for _ in range(3)]
    deadline = time.monotonic() + 30
    while not futures[1].running() and not futures[0].done() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert [future.running() for future in futures] == [True, True, False]
    concurrent.futures.wait(futures, 30)


def test_a_future_is_one_of_concurrent_futures(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    future = session.run_async(None, {"x": x_of(1)})
    assert isinstance(future, kawara.Future) and isinstance(future, concurrent.futures.Future)
    heard = threading.Event()
    future.add_done_callback(lambda done: heard.set() if done is future else None)
    assert heard.wait(30)
    assert set(concurrent.futures.as_completed([future], 30)) == {future}


def test_it_can_be_awaited(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES, slots=2)

    async def ask():
        first = await session.run_async(None, {"x": x_of(1)})
        others = await asyncio.gather(*(session.run_async(["y"], {"x": x_of(i)}) for i in (2, 3)))
        with pytest.raises(kawara.Error, match="no output 'q'"):
            await session.run_async(["q"], {"x": x_of(1)})
        return [first, *others]

    for i, (y,) in enumerate(asyncio.run(ask()), 1):
        np.testing.assert_array_equal(y, x_of(i))


@pytest.mark.parametrize("names, feeds, code", [
    (None, {"z": x_of(1)}, "wrong_input"),
    (None, {"x": x_of(1).astype(np.complex64)}, "wrong_input"),
    (["q"], {"x": x_of(1)}, "not_found"),
])
def test_errors_arrive_by_the_future_and_the_session_works_on(relu_model, names, feeds, code):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    bad, good = session.run_async(names, feeds), session.run_async(None, {"x": x_of(2)})
    with pytest.raises(kawara.Error) as caught:
        bad.result(30)
    assert caught.value.code == code
    np.testing.assert_array_equal(good.result(30)[0], x_of(2))


def test_what_waits_for_its_turn_can_be_cancelled_and_what_is_under_way_not(slow_model):
    session = kawara.InferenceSession(slow_model, DEVICE)
    first, second, third = (session.run_async(None, {"x": SLOW}) for _ in range(3))
    deadline = time.monotonic() + 30
    while not first.running() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert second.cancel() and not first.cancel()
    np.testing.assert_array_equal(third.result(30)[0], SLOW)
    assert first.done() and second.cancelled()


def test_a_dropped_future_is_run_and_keeps_nothing(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    x = x_of(1)
    kept = weakref.ref(x)
    session.run_async(None, {"x": x})
    del x
    np.testing.assert_array_equal(session.run_async(None, {"x": x_of(2)}).result(30)[0], x_of(2))
    gc.collect()
    assert kept() is None


def test_a_dropped_session_ends_its_runs_and_then_its_threads(relu_model):
    def threads():
        return {thread for thread in threading.enumerate() if thread.name == "kawara run_async"}

    others = threads()  # of sessions that other tests have dropped: they may end at any time
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES, slots=2)
    futures = [session.run_async(None, {"x": x_of(i)}) for i in range(6)]
    mine = threads() - others
    assert len(mine) == 2
    del session
    for i, future in enumerate(futures):
        np.testing.assert_array_equal(future.result(30)[0], x_of(i))
    for thread in mine:
        thread.join(30)
        assert not thread.is_alive()


def test_close_waits_for_what_was_begun(slow_model):
    with kawara.InferenceSession(slow_model, DEVICE) as session:
        futures = [session.run_async(None, {"x": SLOW}) for _ in range(2)]
    assert all(future.done() and future.exception() is None for future in futures)
    with pytest.raises(kawara.Error, match="closed"):
        session.run_async(None, {"x": SLOW})


def test_an_exception_inside_of_with_does_not_wait_and_takes_back_what_has_not_begun(slow_model):
    with pytest.raises(ZeroDivisionError):
        with kawara.InferenceSession(slow_model, DEVICE) as session:
            futures = [session.run_async(None, {"x": SLOW}) for _ in range(4)]
            1 / 0
    assert not futures[0].done() and futures[3].cancelled()
    if not futures[0].cancelled():
        np.testing.assert_array_equal(futures[0].result(30)[0], SLOW)


@pytest.mark.parametrize("slots", [0, -1, 1025, 1.5, True, "two"])
def test_slots_are_a_number_from_one(relu_model, slots):
    with pytest.raises(kawara.Error, match="slots.*from 1") as caught:
        kawara.InferenceSession(relu_model, DEVICE, slots=slots)
    assert caught.value.code == "invalid_argument"


LEAVES = """
import sys, time
import numpy as np
import kawara
session = kawara.InferenceSession(sys.argv[1], sys.argv[2], slots=2)
futures = [session.run_async(None, {"x": np.ones((1500, 1500), np.float32)}) for _ in range(5)]
print("begins", flush=True)
%s
"""
WAITS = """
try:
    futures[0].result()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
WAITS_INSIDE_OF_WITH = """
try:
    with session:
        futures[0].result()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
WAITS_FOR_ITS_END = """
try:
    session.close()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("device", ["emulator:reference", "emulator:vulkan"])
@pytest.mark.parametrize("then", ["", WAITS, WAITS_INSIDE_OF_WITH, WAITS_FOR_ITS_END], ids=["leaves", "waits", "inside_of_with", "closes"])
def test_the_process_may_end_while_runs_are_in_flight(model_file, device, then):
    path = model_file([helper.make_node("MatMul", [f"t{i}" if i else "x", "x"], [f"t{i + 1}"]) for i in range(200)],
                      [("x", TensorProto.FLOAT, [1500, 1500])], [("t200", TensorProto.FLOAT, [1500, 1500])])
    process = subprocess.Popen([sys.executable, "-c", LEAVES % then, path, device], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n", process.stderr.read()
    begin = time.monotonic()
    if then:
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (output, process.returncode, errors) == ("interrupted\n" if then else "", 0, "")
    assert time.monotonic() - begin < 10, "the runs would take minutes"


def test_a_forked_child_is_told_and_the_parent_works_on(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    assert session.run_async(None, {"x": x_of(1)}).result(30)
    child = os.fork()
    if child == 0:
        try:
            session.run_async(None, {"x": x_of(1)})
        except kawara.Error as error:
            session.close()
            os._exit(0 if error.code == "forked" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(session.run_async(None, {"x": x_of(2)}).result(30)[0], x_of(2))
