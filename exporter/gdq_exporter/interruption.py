"""Interruptions at a moment that can bear them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruption_deferred() -> Iterator[None]:
    """Holds Ctrl-C and SIGTERM back until the block has ended, however it ends.

    For libraries that import and patch themselves as they go: a KeyboardInterrupt in the middle of
    that leaves them in pieces, whose own error then hides it, or a lock taken for ever. Outside of
    the main thread no signal arrives, and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in _SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            # None stands for a handler that Python did not install and cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if received:
            signal.raise_signal(received[0])
