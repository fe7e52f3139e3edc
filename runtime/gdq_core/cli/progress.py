"""A progress bar on stderr, for a person who looks."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar


class TileProgress:
    """Counts tiles; shows itself only on a terminal, so that logs stay clean."""

    def __init__(self, label: str) -> None:
        """Prepare a bar; it appears with the first tile, when the number of tiles is known."""
        self._label = label
        self._stack = ExitStack()
        self._bar: ProgressBar[int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that so many tiles of all are done."""
        if sys.stderr is None or not sys.stderr.isatty():
            return
        if self._bar is None:
            bar: ProgressBar[int] = click.progressbar(
                length=total, label=self._label, file=sys.stderr
            )
            self._bar = self._stack.enter_context(bar)
        self._bar.update(done - self._bar.pos)

    def __enter__(self) -> TileProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
