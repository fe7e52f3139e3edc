"""Granular-DQ checkpoint -> bundle.

``export`` and its result are imported when first asked for: they bring torch along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdq_exporter.config import DEFAULT_PROFILE, PROFILES, ExportConfig, Profile
from gdq_exporter.errors import ExportError

if TYPE_CHECKING:
    from gdq_exporter.pipeline import ExportResult, export

__all__ = [
    "DEFAULT_PROFILE",
    "PROFILES",
    "ExportConfig",
    "ExportError",
    "ExportResult",
    "Profile",
    "export",
]


def __getattr__(name: str) -> Any:
    if name in ("ExportResult", "export"):
        from gdq_exporter import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
