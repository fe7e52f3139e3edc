"""Interruptions, deferred to a safe moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from gdq_core.signals import handle_requests_to_stop, restore


@contextmanager
def interruption_deferred() -> Iterator[None]:
    """Hold back Ctrl-C, SIGTERM and SIGHUP until the block has ended, however it ends.

    For libraries that import and patch themselves as they go: a KeyboardInterrupt in the middle
    leaves them broken, with errors that hide it, or holding a lock for ever. Outside the main
    thread no signals arrive, and this does nothing.
    """
    received: list[int] = []
    before = handle_requests_to_stop(lambda number, _: received.append(number))
    try:
        yield
    finally:
        restore(before)
        if received:
            signal.raise_signal(received[0])
