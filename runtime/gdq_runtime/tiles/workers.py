"""Threads that each run whole tiles; pinned if there is one for every available processor.

Measured on two cores: two pinned threads are 1.95 times as fast as one, while two unpinned ones
were put on one core and were no faster than one. Fewer threads than processors are left to the
system, since another pool of ours or another process might use any processor that they chose.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from gdq_core.errors import EngineError, RequestError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of threads that returns results in the order of the items.

    Threads do not survive a fork: a forked process starts its own with its first work.

    Attributes:
        threads: number of threads.

    """

    def __init__(self, threads: int | None = None) -> None:
        """Prepare the threads; they start with their first work.

        Args:
            threads: number of threads, at least 1; None for one per processor that this process
                may use.

        Raises:
            RequestError: the number of threads is not such a number.

        """
        is_number = isinstance(threads, int) and not isinstance(threads, bool)
        if threads is not None and not (is_number and threads >= 1):
            raise RequestError(f"threads must be a whole number of at least 1, not {threads!r}")
        self.threads = len(_processors()) if threads is None else threads
        self._hire()

    def map_in_order(
        self, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
    ) -> Generator[Result, None, None]:
        """Yield the results in the order of the items, with at most ``ahead`` of them in progress.

        The thread that iterates draws items when there is room. The error of an item is raised in
        its turn; then, or if the iteration is abandoned, work that has not started is cancelled
        and work in progress is waited for.

        Raises:
            EngineError: the process was forked in the meantime, and this is the child.

        """
        if self._is_of_parent():
            self._hire()
        process = self._process
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(self._pool.submit(work, item))
                if len(pending) >= ahead:
                    yield _result_of(pending.popleft(), process)
            while pending:
                yield _result_of(pending.popleft(), process)
        finally:
            if process == os.getpid():
                _let_go(pending)

    def close(self) -> None:
        """Stop the threads."""
        if not self._is_of_parent():
            self._pool.shutdown(cancel_futures=True)

    def _hire(self) -> None:
        processors, places = _processors(), SimpleQueue[int]()
        if self.threads == len(processors):
            for processor in processors:
                places.put(processor)
        self._pool = ThreadPoolExecutor(
            self.threads, thread_name_prefix="gdq-tile", initializer=_pin, initargs=(places,)
        )
        self._process = os.getpid()

    def _is_of_parent(self) -> bool:
        """Tell whether this process was forked since the threads were hired, and so has none."""
        return self._process != os.getpid()


def _result_of(future: Future[Result], process: int) -> Result:
    if process != os.getpid():
        raise EngineError(
            "this process was forked while a picture was being upscaled, which only its parent can "
            "finish"
        )
    return future.result()


def _let_go(pending: Iterable[Future[Result]]) -> None:
    """Cancel work that has not started, and wait for work in progress."""
    for future in pending:
        future.cancel()
    for future in pending:
        if not future.cancelled():
            future.exception()


def _processors() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _pin(places: SimpleQueue[int]) -> None:
    """Pin the calling thread to a processor of its own, if the system allows it."""
    try:
        processor = places.get_nowait()
    except Empty:
        return
    if hasattr(os, "sched_setaffinity"):
        try:
            os.sched_setaffinity(0, {processor})
        except OSError:  # the processor is offline, or pinning is forbidden: slower, not wrong
            return
