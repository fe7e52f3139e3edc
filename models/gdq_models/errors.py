"""What can be wrong with a checkpoint; the message is one sentence for a person."""

from __future__ import annotations

from gdq_core.errors import GdqError


class CheckpointError(GdqError):
    """A checkpoint cannot be used: damaged, unknown, unfinished, or not what was asked for."""
