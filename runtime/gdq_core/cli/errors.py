"""From errors to exit codes: one sentence on stderr, no traceback."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import click

from gdq_core.errors import GdqError


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
    """Run a command's work; a ``GdqError`` becomes its sentence, an interruption its exit code.

    SIGTERM is treated like Ctrl-C, so that temporary files are removed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if is_main else None
    try:
        yield
    except GdqError as error:
        say_error(error)
        sys.exit(ExitCode.REFUSED)
    except MemoryError:
        say_error(GdqError("not enough memory; other programs or smaller pictures may help"))
        sys.exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def say_error(error: GdqError) -> None:
    """Print an error's sentence on stderr."""
    click.echo(f"error: {error}", err=True)
