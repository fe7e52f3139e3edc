"""From errors to exit codes: one sentence on stderr, no traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum

import click

from gdq_core.cli.packages import describe_missing
from gdq_core.errors import GdqError, OutputError
from gdq_core.signals import handle_requests_to_stop, restore


class ExitCode(IntEnum):
    """What a command answers to its caller."""

    DONE = 0
    """Everything was done."""

    CHECK_FAILED = 1
    """The work was done and a bar that was asked for is missed."""

    REFUSED = 2
    """An input, an option or an output place cannot be used."""

    INTERRUPTED = 130
    """Stopped by a signal; nothing half-written is left."""


@contextmanager
def report_errors() -> Iterator[None]:
    """Run a command's work; what goes wrong on the user's side becomes a sentence and an exit code.

    SIGTERM and SIGHUP are treated like Ctrl-C, so that drafts are removed; a signal that the caller
    has us ignore (``nohup``) stays ignored.
    """
    before = handle_requests_to_stop(signal.default_int_handler)
    try:
        yield
    except GdqError as error:
        say_error(error)
        sys.exit(ExitCode.REFUSED)
    except ModuleNotFoundError as error:
        if (sentence := describe_missing(error)) is None:
            raise
        say_error(sentence)
        sys.exit(ExitCode.REFUSED)
    except MemoryError:
        say_error("out of memory: close other programs, or use smaller pictures")
        sys.exit(ExitCode.REFUSED)
    except OSError as error:  # of the system, where nobody expected it
        place = f"{error.filename}: " if error.filename else ""
        say_error(f"{place}{error.strerror or error}")
        sys.exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        restore(before)


def say_error(error: GdqError | str) -> None:
    """Print an error's sentence on standard error."""
    say(f"error: {error}")


def say(sentence: str, *, nl: bool = True) -> None:
    """Print a sentence on standard error, if it takes any: nobody may be left to read it."""
    with suppress(OSError, ValueError):
        click.echo(sentence, err=True, nl=nl)


def print_result(text: str) -> None:
    """Print a command's result on standard output.

    Raises:
        OutputError: it is closed, or the disk that it goes to is full.

    """
    try:
        click.echo(text)
    except OSError as error:
        raise refuse_output(error) from error


def refuse_output(error: OSError) -> OutputError:
    """Give standard output up, so that the interpreter's last words are not refused once more."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    return OutputError(f"standard output cannot be written: {error.strerror}")
