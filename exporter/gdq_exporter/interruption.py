"""Interruptions at a moment that can bear them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from gdq_core.signals import handle_requests_to_stop, restore


@contextmanager
def interruption_deferred() -> Iterator[None]:
    """Holds Ctrl-C, SIGTERM and SIGHUP back until the block has ended, however it ends.

    For libraries that import and patch themselves as they go: a KeyboardInterrupt in the middle of
    that leaves them in pieces, whose own error then hides it, or a lock taken for ever. Outside of
    the main thread no signal arrives, and nothing is done.
    """
    received: list[int] = []
    before = handle_requests_to_stop(lambda number, _: received.append(number))
    try:
        yield
    finally:
        restore(before)
        if received:
            signal.raise_signal(received[0])
