"""Stops a training between two steps, when it is asked to from outside."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal(Callback):
    """On SIGINT (Ctrl-C) or SIGTERM, finishes the step, saves and stops; the second time, at once.

    An interrupt in the midst of a step would leave some weights updated and others not.
    """

    def __init__(self, resume_file: Path) -> None:
        self._resume_file = resume_file
        self._asked = False
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Takes over the signals."""
        self._handlers = {number: signal.signal(number, self._ask) for number in _SIGNALS}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any
    ) -> None:
        """Saves and stops, if a signal came during the step."""
        if self._asked:
            trainer.save_checkpoint(self._resume_file)
            trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Gives the signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(number, self._handlers[number])
