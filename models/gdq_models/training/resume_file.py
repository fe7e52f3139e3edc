"""Keep the file from which training is resumed, and stop between two steps when asked to."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from gdq_core.files.drafts import draft_file
from gdq_core.signals import Handlers, handle_requests_to_stop, restore


class ResumeFile(Callback):
    """A callback that saves at a fixed interval, at the last step, and before a signal stops it.

    On SIGINT (Ctrl-C), SIGTERM or SIGHUP the current step is finished first: an interrupt in the
    middle of it would leave some weights updated and others not. A second signal acts as usual.
    """

    def __init__(self, path: Path, every: int) -> None:
        self._path = path
        self._every = every
        self._asked_to_stop = False
        self._handlers: Handlers = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Install the signal handlers."""
        self._handlers = handle_requests_to_stop(self._ask)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any
    ) -> None:
        """Save if it is time to, or if a signal arrived during the step."""
        step = trainer.global_step
        if self._asked_to_stop or step % self._every == 0 or step == trainer.max_steps:
            self._save(trainer)
        if self._asked_to_stop:
            trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Restore the signal handlers."""
        restore(self._handlers)
        self._handlers = {}

    def _save(self, trainer: lightning.Trainer) -> None:
        """Replace the file as a whole: the old one stays until the new one is on disk."""
        if not trainer.is_global_zero:
            trainer.save_checkpoint(self._path)  # takes part, but writes nothing
            return
        with draft_file(self._path) as draft:
            trainer.save_checkpoint(draft)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True
        signal.signal(number, self._handlers[number])
