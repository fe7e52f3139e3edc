"""Keeps engines usable in a process that was forked: no fork happens while a library works.

A forked process has its parent's memory, but of its threads only the one that forked. A lock that
another thread held in a library would stay locked there for ever, so a fork waits for the tiles
that are being worked on, and tiles that are about to begin wait for the fork. Sessions and models
that are at rest can be used on both sides; threads cannot, see ``tiles.workers``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Calls:
    """The calls of libraries that are under way in this process."""

    def __init__(self) -> None:
        self._begin()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Make a call, which no fork interrupts."""
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
        """Wait for the calls of other threads, and let none begin until ``go_on``."""
        self._changed.acquire()
        while self._callers - {threading.get_ident()}:
            self._changed.wait()

    def go_on(self) -> None:
        """Let calls begin again, in the process that forked."""
        self._changed.release()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._callers: set[int] = set()

    def watch_forks(self) -> None:
        """Hold the calls during every fork from now on; there is none on Windows."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self.hold, after_in_parent=self.go_on, after_in_child=self._begin
            )


CALLS = Calls()
CALLS.watch_forks()
