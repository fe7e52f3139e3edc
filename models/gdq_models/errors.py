"""What can be wrong with a checkpoint; each message is one sentence addressed to the user."""

from __future__ import annotations

from gdq_core.errors import GdqError


class CheckpointError(GdqError):
    """A checkpoint cannot be used: damaged, unknown, incomplete, or not what was asked for."""
