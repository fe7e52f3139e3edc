"""A command of ours: click's, and every error on the user's side is a sentence and exit code 2."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from gdq_core.cli.errors import ExitCode, refuse_output, report_errors, say
from gdq_core.errors import OutputError


class _Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """Ctrl-C, by a name that click lets through: it would print to a terminal that may be gone."""


class Command(click.Command):
    """Runs inside ``report_errors``, so that no command needs to.

    Beside ``--help``, for which ``-h`` stands, each has ``--version``.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Create the command as click does."""
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **settings)
        self.params.append(_version_option())

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command and leave the process with its exit code."""
        with report_errors():
            _open_standard_streams()
            settings["standalone_mode"] = False
            try:
                code = super().main(*args, **settings)
            except click.ClickException as error:
                _show(error)
                sys.exit(error.exit_code)
            except (_Interrupted, click.Abort) as error:
                raise KeyboardInterrupt from error
        # A command returns nothing; --help, an exit code.
        sys.exit(code or ExitCode.DONE)

    def invoke(self, ctx: click.Context) -> Any:
        """Do the command's work."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _Interrupted from error

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """Parse the command line, or print the help."""
        try:
            return super().make_context(*args, **settings)
        except OSError as error:  # nothing but --help writes here
            raise refuse_output(error) from error


def _version_option() -> click.Option:
    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Show the version and exit.",
    )


def _print_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or context.resilient_parsing:
        return
    # Looked up only where it is wanted: --help has to answer at once.
    from gdq_core.version import __version__

    click.echo(f"{context.command_path} {__version__}")
    context.exit()


def _show(error: click.ClickException) -> None:
    try:
        error.show()
    except OSError:
        say(error.format_message())


def _open_standard_streams() -> None:
    """Keep files that are opened later from becoming a standard stream that was closed.

    Raises:
        OutputError: standard output is closed, so that nobody would see the result.

    """
    is_closed = sys.stdout is None
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - kept open
    if is_closed:
        raise OutputError("standard output is closed: send it to /dev/null if nobody wants it")
