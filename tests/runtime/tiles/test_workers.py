from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gdq_core.errors import RequestError
from gdq_runtime.tiles.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(3)
    yield pool
    pool.close()


def test_results_keep_the_order(workers: Workers) -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(workers.map_in_order(work, range(30), 7)) == [n * n for n in range(30)]


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_no_more_than_so_many_items_are_in_the_making(workers: Workers, ahead: int) -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(40):
            drawn += 1
            yield number

    for done, _ in enumerate(workers.map_in_order(lambda item: item, items(), ahead)):
        assert drawn <= done + ahead


def test_work_is_done_in_parallel() -> None:
    pool = Workers(2)
    barrier = threading.Barrier(2, timeout=10)  # passes only if two threads are there at once
    assert list(pool.map_in_order(lambda _: barrier.wait() >= 0, range(4), 4)) == [True] * 4
    pool.close()


def test_an_error_is_raised_in_its_turn_and_stops_the_rest(workers: Workers) -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        done.append(number)
        return number

    results = workers.map_in_order(work, range(1000), 10)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert max(done) < 20
    assert list(workers.map_in_order(lambda n: n, range(3), 2)) == [0, 1, 2]


def test_an_error_of_the_source_waits_for_what_has_begun(workers: Workers) -> None:
    running = threading.Event()
    finished = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        running.wait(10)
        raise OSError("the source broke")

    def work(_: int) -> None:
        running.set()
        time.sleep(0.05)
        finished.set()

    with pytest.raises(OSError, match="the source broke"):
        list(workers.map_in_order(work, items(), 5))
    assert finished.is_set()


def test_giving_up_cancels_what_has_not_begun(workers: Workers) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    results = workers.map_in_order(work, range(100), 50)
    next(results)
    results.close()
    assert len(done) < 20


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system cannot pin threads")
def test_threads_are_pinned_within_our_affinity() -> None:
    ours = os.sched_getaffinity(0)
    pool = Workers()
    assert pool.threads == len(ours)
    barrier = threading.Barrier(pool.threads, timeout=10)

    def look(_: int) -> frozenset[int]:
        barrier.wait()
        return frozenset(os.sched_getaffinity(0))

    places = set(pool.map_in_order(look, range(pool.threads), pool.threads))
    pool.close()
    assert places == {frozenset({processor}) for processor in ours}
    assert os.sched_getaffinity(0) == ours


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system cannot pin threads")
@pytest.mark.parametrize("beside", [-1, 1])
def test_threads_that_have_no_processor_each_are_left_to_the_system(beside: int) -> None:
    """Of many pools with one thread each, all would choose the same processor."""
    ours = os.sched_getaffinity(0)
    if len(ours) + beside < 1:
        pytest.skip("there is one processor")
    pools = [Workers(len(ours) + beside) for _ in range(4)]
    for pool in pools:
        places = pool.map_in_order(lambda _: frozenset(os.sched_getaffinity(0)), range(9), 9)
        assert set(places) == {frozenset(ours)}
        pool.close()


def test_closing_in_a_child_leaves_the_parents_threads(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(workers.map_in_order(str, range(2), 2)) == ["0", "1"]
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        workers.close()
    assert list(workers.map_in_order(str, range(2), 2)) == ["0", "1"]


@pytest.mark.parametrize("threads", [0, -1, "2", 1.5, True])
def test_other_numbers_of_threads_are_refused(threads: Any) -> None:
    with pytest.raises(RequestError, match="threads must be a whole number of at least 1, not "):
        Workers(threads)
