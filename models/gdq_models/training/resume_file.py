"""Keeps the file from which a training is resumed, and stops between two steps when asked to."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ResumeFile(Callback):
    """Saves every so many steps, at the last one, and before it stops for a signal.

    On SIGINT (Ctrl-C) or SIGTERM the running step is finished first: an interrupt in the midst of
    it would leave some weights updated and others not. A second signal acts as ever.
    """

    def __init__(self, path: Path, every: int) -> None:
        self._path = path
        self._every = every
        self._asked_to_stop = False
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Takes over the signals."""
        self._handlers = {number: signal.signal(number, self._ask) for number in _SIGNALS}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any
    ) -> None:
        """Saves, if it is time to or a signal came during the step."""
        step = trainer.global_step
        if self._asked_to_stop or step % self._every == 0 or step == trainer.max_steps:
            # Lightning writes to another name first: an older file is whole until a new one is.
            trainer.save_checkpoint(self._path)
        if self._asked_to_stop:
            trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Gives the signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True
        signal.signal(number, self._handlers[number])
