"""The signals that ask a program to stop, and who answers them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last

Handlers = dict[int, Any]


def handle_requests_to_stop(handler: Callable[[int, Any], Any]) -> Handlers:
    """Let a handler answer Ctrl-C, SIGTERM and SIGHUP, but for those that are ignored.

    Whoever starts a program with ``nohup`` has it ignore SIGHUP, and means it. Outside of the main
    thread no signal arrives, and nothing is done.

    Returns:
        The handlers that were there, for ``restore``.

    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return {
        number: signal.signal(number, handler)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }


def restore(handlers: Handlers) -> None:
    """Give the signals back to those who answered them before."""
    for number, handler in handlers.items():
        # None stands for a handler that Python did not install and cannot put back.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
