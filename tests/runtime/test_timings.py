from __future__ import annotations

import threading
import time

import pytest

from gdq_runtime.timings import StageTime, Stopwatch


def test_sleep_costs_wall_time_only() -> None:
    stopwatch = Stopwatch()
    with stopwatch.stage("decode"):
        time.sleep(0.05)
    timings = stopwatch.read()
    assert timings.decode.wall >= 0.05
    assert timings.decode.cpu < 0.04
    assert timings.elapsed >= 0.05
    assert timings.run == StageTime()


def test_threads_add_up() -> None:
    stopwatch = Stopwatch()

    def work() -> None:
        for _ in range(10):
            with stopwatch.stage("run"):
                time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stopwatch.read().run.wall >= 0.04


def test_a_failing_stage_is_counted() -> None:
    stopwatch = Stopwatch()

    def fail() -> None:
        with stopwatch.stage("encode"):
            time.sleep(0.01)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert stopwatch.read().encode.wall >= 0.01
