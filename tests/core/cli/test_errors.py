from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from gdq_core.cli.errors import report_errors
from gdq_core.errors import GdqError, ImageError


def fail(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        with report_errors():
            raise error

    return work


@pytest.mark.parametrize("kind", [GdqError, ImageError])
def test_an_error_is_one_line_and_exit_code_2(
    kind: type[GdqError], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        fail(kind("a sentence"))()
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", "error: a sentence\n")


def test_little_memory_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        fail(MemoryError())()
    assert stopped.value.code == 2
    assert "out of memory" in capsys.readouterr().err


def test_an_interruption_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        fail(KeyboardInterrupt())()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_our_own_mistakes_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        fail(ZeroDivisionError())()


def test_termination_is_an_interruption_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def terminate() -> None:
        with report_errors():
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit) as stopped:
        terminate()
    assert stopped.value.code == 130
    assert signal.getsignal(signal.SIGTERM) == before
