from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from gdq_bench.measure.machine import can_pin, describe_machine, pinned, processors
from gdq_core.processor import processor_name


def test_the_machine_is_described() -> None:
    facts = describe_machine(["numpy", "no-such-package"])
    assert facts.libraries == {"numpy": np.__version__}
    assert facts.processor == processor_name() != ""
    assert facts.processors == len(processors()) >= 1
    assert set(facts.flags).isdisjoint({""})
    assert facts.date.endswith("+00:00")


@pytest.mark.skipif(not can_pin(), reason="this system cannot pin threads")
def test_a_thread_and_those_it_starts_are_held_and_let_go() -> None:
    before = processors()
    seen: list[set[int]] = []
    with pinned(1):
        assert processors() == before[:1]
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
    assert seen == [{before[0]}]
    assert processors() == before


@pytest.mark.skipif(not can_pin(), reason="this system cannot pin threads")
def test_an_error_lets_go_too() -> None:
    before = processors()
    with pytest.raises(RuntimeError), pinned(1):
        raise RuntimeError
    assert processors() == before
