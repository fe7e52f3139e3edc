from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.forks import Calls
from gdq_runtime.engines.timed import TimedEngine

TILE = np.zeros((4, 4, 3), np.uint8)


def test_holding_waits_for_calls_and_makes_others_wait() -> None:
    calls, events = Calls(), list[str]()
    is_in, may_leave = threading.Event(), threading.Event()

    def call_long() -> None:
        with calls.one():
            is_in.set()
            may_leave.wait(10)
            events.append("a call ends")

    def call_late() -> None:
        with calls.one():
            events.append("a call begins")

    def hold() -> None:
        calls.hold()
        events.append("held")
        late.start()
        late.join(0.05)
        events.append("go on")
        calls.go_on()

    long, late = threading.Thread(target=call_long), threading.Thread(target=call_late)
    holder = threading.Thread(target=hold)
    long.start()
    is_in.wait(10)
    holder.start()
    holder.join(0.05)
    may_leave.set()
    for thread in (long, holder, late):
        thread.join(10)
    assert events == ["a call ends", "held", "go on", "a call begins"]


def test_a_call_that_forks_does_not_wait_for_itself() -> None:
    calls = Calls()
    with calls.one():
        calls.hold()
        calls.go_on()


class Slow:
    """An engine that tells whether it is at work."""

    name = accelerator_asked = accelerator_used = "slow"

    def __init__(self) -> None:
        self.is_at_work = threading.Event()
        self.may_rest = threading.Event()

    def _work(self) -> None:
        self.is_at_work.set()
        self.may_rest.wait(0.2)
        self.is_at_work.clear()

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        self._work()
        return Prediction(np.zeros(3, np.float32), 1.0, 4)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        raise NotImplementedError

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self._work()
        return tile

    def close(self) -> None:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("call", ["predict", "run"])
def test_no_child_is_born_while_an_engine_works(call: str) -> None:
    slow = Slow()
    engine = TimedEngine(slow)
    work = (lambda: engine.predict(TILE)) if call == "predict" else (lambda: engine.run(4, TILE))
    thread = threading.Thread(target=work)
    thread.start()
    slow.is_at_work.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(int(slow.is_at_work.is_set()))
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
