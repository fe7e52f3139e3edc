from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from gdq_exporter.interruption import interruption_deferred

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Both signals raise KeyboardInterrupt, as in a command."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt(number: signal.Signals, done: list[str], error: Exception | None = None) -> None:
    with interruption_deferred():
        signal.raise_signal(number)
        done.append("the block")
        if error is not None:
            raise error


@pytest.mark.parametrize("number", SIGNALS)
def test_the_block_ends_before_the_interruption(number: signal.Signals) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(number, done)
    assert done == ["the block"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_an_error_of_the_block_does_not_hide_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGINT, [], RuntimeError("in pieces"))


def test_without_a_signal_nothing_happens() -> None:
    with interruption_deferred():
        pass
    for number in SIGNALS:
        assert signal.getsignal(number) is signal.default_int_handler


def test_other_threads_may_use_it() -> None:
    done: list[str] = []

    def work() -> None:
        with interruption_deferred():
            done.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["worked"]
