"""What can go wrong in an export; each message is one sentence for the user."""

from __future__ import annotations

from gdq_core.errors import GdqError


class ExportError(GdqError):
    """A checkpoint, a network or a calibration set that cannot be exported."""
