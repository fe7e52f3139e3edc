"""The command that measures, and beside it verbs: ``gdq-bench compare`` is a command of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from gdq_core.cli.command import Command

VERBS = {
    "devices": "gdq_bench.cli.devices",
    "compare": "gdq_bench.cli.compare",
    "app": "gdq_bench.cli.app",
}
"""First word -> the module whose ``main`` does it."""


class CommandWithVerbs(Command):
    """Runs the verb that the first word names, else itself."""

    def find(self, words: Sequence[str]) -> click.Command:
        """Return the command that a command line is for."""
        if not words or words[0] not in VERBS:
            return self
        verb: click.Command = import_module(VERBS[words[0]]).main
        return verb

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        """Run one of the commands and leave the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        command = self.find(words)
        if command is self:
            return super().main(words, *rest, **settings)
        return command.main(words[1:], *rest, **settings | {"prog_name": f"gdq-bench {words[0]}"})
