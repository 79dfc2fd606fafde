# SPDX-License-Identifier: Apache-2.0
"""Runs that were asked for and that nobody stands waiting for."""

import concurrent.futures
import os
import queue
import threading
from typing import Callable

from .errors import Error


class Future(concurrent.futures.Future):
    """The outputs of a run that waits for its turn, is under way or has ended; made by `InferenceSession.run_async`.

    A `concurrent.futures.Future`: `result(timeout)` waits, in seconds, and returns the outputs or raises what the run raised;
    `add_done_callback`, `cancel`, `concurrent.futures.as_completed` and `wait` work as usual. It can be awaited too:
    ``outputs = await session.run_async(None, feeds)``.

    A run that waits for its turn can be cancelled, one that is under way can't. A future that nobody keeps is run all the same.
    """

    def __await__(self):
        import asyncio

        return asyncio.wrap_future(self, loop=asyncio.get_running_loop()).__await__()


def _perform(future: Future, call: Callable) -> bool:
    """False when the interpreter ends, and this thread with it."""
    if not future.set_running_or_notify_cancel():
        return True
    try:
        future.set_result(call())
    except BaseException as problem:
        future.set_exception(problem)
        return isinstance(problem, Exception)
    return True


def _work(tasks: queue.SimpleQueue) -> None:
    going = True
    while going and (task := tasks.get()) is not None:
        going = _perform(*task)
        del task  # until the next one comes, nothing of it is kept


class Runner:
    """Calls in the order in which they were given, so many at once as there are slots, each in a thread of its own.

    The threads are daemons: the process may end while they are at work, and does not wait for what waits for its turn.
    """

    def __init__(self, slots: int):
        self._slots = slots
        self._process = os.getpid()
        self._tasks: queue.SimpleQueue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending: "set[Future]" = set()

    @property
    def forked(self) -> bool:
        """Whether this is a child's copy, which has none of the threads."""
        return self._process != os.getpid()

    def check_process(self) -> None:
        if self.forked:
            raise Error(f"the session was opened by process {self._process}", code="forked")

    def submit(self, call: Callable) -> Future:
        self.check_process()
        future = Future()
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        with self._lock:
            self._tasks.put((future, call))
            if self._threads < self._slots:
                self._threads += 1
                threading.Thread(target=_work, args=(self._tasks,), name="kawara run_async", daemon=True).start()
        return future

    def finish(self) -> None:
        """Waits for all that was submitted. In a forked child there is nothing to wait for."""
        if not self.forked:
            concurrent.futures.wait(list(self._pending))

    def cancel(self) -> None:
        """Takes back what has not begun."""
        if not self.forked:
            for future in list(self._pending):
                future.cancel()

    def stop(self) -> None:
        """Ends the threads once all that was submitted has ended. Waits for nothing, and takes no lock: a garbage collection may call it."""
        for _ in range(self._threads):
            self._tasks.put(None)
