"""What can be wrong with a recipe, photos or a run; one sentence addressed to the user."""

from __future__ import annotations

from gdq_core.errors import GdqError


class TrainingError(GdqError):
    """A recipe, a folder of photos or a run cannot be used for training."""


class TrainingInterrupted(Exception):  # noqa: N818 - nothing went wrong
    """A signal stopped training between two optimizer steps; the run can be resumed."""
