"""The machine under the numbers, as the pages show it."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version

from gdq_bench.measure.machine import processor_name, processors

_PACKAGES = ("onnxruntime", "ai-edge-litert", "torch", "numpy", "OpenImageIO")


def describe_machine() -> dict[str, str]:
    """Processor, system, versions, and the time of measuring."""
    return {
        "processor": processor_name(),
        "processors": str(len(processors())),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "load_before": _load_average(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _load_average() -> str:
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
