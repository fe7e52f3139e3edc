"""Granular-DQ checkpoint -> bundle.

``export`` and its result are imported on first use, because they import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdq_core.late_import import import_late
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

__getattr__ = import_late(
    __name__, dict.fromkeys(("ExportResult", "export"), "gdq_exporter.pipeline")
)
