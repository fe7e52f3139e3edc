from __future__ import annotations

import threading

import pytest

from bench.made_up import phone_result
from gdq_bench.protocol import BenchResult
from gdq_bench.targets.phone.several import measure_all
from gdq_devices.adb.client import Stopped
from gdq_devices.errors import LostError


def test_all_at_once_and_one_that_fails_does_not_stop_the_others() -> None:
    both = threading.Barrier(2, timeout=30)

    def measure(serial: str) -> BenchResult:
        both.wait()
        if serial == "lost":
            raise LostError("it went away")
        return phone_result()

    stop = threading.Event()
    outcomes = measure_all(["lost", "there"], measure, stop)
    assert str(outcomes["lost"].error) == "it went away"
    assert outcomes["lost"].result is None
    assert outcomes["there"].result == phone_result()
    assert not stop.is_set()


def test_ctrl_c_stops_all_and_waits_until_they_have_tidied_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = threading.Event()
    tidied = []

    def measure(serial: str) -> BenchResult:
        assert stop.wait(30)
        tidied.append(serial)
        raise Stopped

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gdq_bench.targets.phone.several.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        measure_all(["a", "b"], measure, stop)
    assert sorted(tidied) == ["a", "b"]


def test_a_mistake_of_ours_is_shown() -> None:
    def measure(serial: str) -> BenchResult:
        raise ZeroDivisionError(serial)

    with pytest.raises(ZeroDivisionError):
        measure_all(["a"], measure, threading.Event())
