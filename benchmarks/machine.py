"""The machine under the numbers, and how to hold a process to a part of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("onnxruntime", "ai-edge-litert", "torch", "numpy", "OpenImageIO")


def describe_machine() -> dict[str, str]:
    """Processor, system, versions, and the time of measuring."""
    return {
        "processor": _processor_name(),
        "processors": str(len(processors())),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "load_before": _load_average(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def processors() -> list[int]:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@contextmanager
def pinned(count: int) -> Iterator[None]:
    """Holds this process, and what it starts, to ``count`` processors where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(processors()[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _load_average() -> str:
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
