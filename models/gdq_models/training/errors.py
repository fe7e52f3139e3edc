"""What can be wrong with a recipe, the photos or a run; one sentence for a person."""

from __future__ import annotations

from gdq_core.errors import GdqError


class TrainingError(GdqError):
    """A recipe, a folder of photos or a run that cannot be trained with."""


class TrainingInterrupted(Exception):  # noqa: N818 - nothing went wrong
    """A signal stopped a training between two steps; it can be resumed."""
