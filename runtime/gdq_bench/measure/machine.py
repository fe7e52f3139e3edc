"""The machine behind the numbers, and how to restrict a process to a part of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gdq_core.processor import processor_fact, processor_name

_FLAGS = (
    # x86, as the kernel calls them; AVX2 is what 8-bit kernels need, the others make them fast
    "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_int8",
    # ARM64: asimddp is dot products of bytes, asimdhp half precision
    "asimd", "asimdhp", "asimddp", "i8mm", "sve", "sve2",
)  # fmt: skip
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


class MachineFacts(BaseModel):
    """What a number depends on besides the code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    processor: str
    flags: Annotated[list[str], Field(description="instruction sets that matter to 8-bit kernels")]
    processors: Annotated[int, Field(ge=1, description="that the process may use")]
    system: str
    python: Annotated[str | None, Field(description="null where none takes part")]
    libraries: Annotated[dict[str, str], Field(description="package -> version, if installed")]
    governor: Annotated[str | None, Field(description="of the clock; null if not readable")]
    load: Annotated[float | None, Field(description="of the last minute, before measuring")]
    date: str


def describe_machine(packages: Sequence[str]) -> MachineFacts:
    """Look at the machine now.

    Args:
        packages: whose versions to record, if they are installed.

    """
    return MachineFacts(
        processor=processor_name(),
        flags=known_flags((*processor_fact("flags").split(), *processor_fact("Features").split())),
        processors=len(processors()),
        system=platform.platform(),
        python=platform.python_version(),
        libraries=_versions(packages),
        governor=_read(_GOVERNOR).strip() or None,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        date=now(),
    )


def processors() -> list[int]:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def can_pin() -> bool:
    """Tell whether this system lets a thread be held to a processor."""
    return hasattr(os, "sched_setaffinity")


@contextmanager
def pinned(count: int) -> Iterator[None]:
    """Hold this thread, and threads and processes it starts, to ``count`` processors.

    Does nothing on systems that cannot.
    """
    if not can_pin():
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(processors()[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def known_flags(present: Iterable[str]) -> list[str]:
    """Return those of a processor's features that matter to 8-bit kernels."""
    features = set(present)
    return [flag for flag in _FLAGS if flag in features]


def now() -> str:
    """Return date and time as results have them."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _versions(packages: Sequence[str]) -> dict[str, str]:
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
