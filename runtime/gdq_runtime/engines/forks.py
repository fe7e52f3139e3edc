"""Keep engines usable in a forked process: no fork happens during a call of a library.

A forked process has a copy of its parent's memory, but only the thread that forked. A lock that
another thread held in a library would stay locked in it for ever, so a fork waits for the tiles
that are being computed, and tiles that are about to start wait for the fork. Idle sessions and
models can be used in both processes; threads cannot, see ``tiles.workers``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Calls:
    """The calls of libraries that are in progress in this process."""

    def __init__(self) -> None:
        self._begin()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Enter a call, during which no fork happens."""
        caller = threading.get_ident()
        with self._changed:
            self._callers.add(caller)
        try:
            yield
        finally:
            with self._changed:
                self._callers.discard(caller)
                self._changed.notify_all()

    def hold(self) -> None:
        """Wait for the calls of other threads, and let no new one start until ``go_on``."""
        self._changed.acquire()
        while self._callers - {threading.get_ident()}:
            self._changed.wait()

    def go_on(self) -> None:
        """Let calls start again, in the parent process."""
        self._changed.release()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._callers: set[int] = set()

    def watch_forks(self) -> None:
        """Hold calls during every fork from now on (Windows has no fork)."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self.hold, after_in_parent=self.go_on, after_in_child=self._begin
            )


CALLS = Calls()
CALLS.watch_forks()
