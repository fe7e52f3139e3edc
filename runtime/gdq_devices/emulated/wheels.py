"""Installs wheels for another machine: the runtime's dependencies, in the versions of CI."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from gdq_devices.commands import run_command
from gdq_devices.emulated.machine import PYTHON

_GLIBC = 36
"""Debian bookworm's, as minor version of 2; wheels built for this or any older one run there."""
_OLDEST_GLIBC = 17
"""The oldest that wheels for ARM64 are built for."""
_EXTRAS = ("", "litert")
"""The base install, and what brings the libraries of other engines (pyproject.toml)."""


def requirements() -> list[str]:
    """Return what the runtime and all engines need, as pip wants it named."""
    declared = map(Requirement, requires("granular-dq-mobile") or ())
    return [f"{need.name}{need.specifier}" for need in declared if _is_wanted(need)]


def constraints_for_arm64(lines: Sequence[str]) -> list[str]:
    """Return the pins in constraints.txt for the emulated Python, without their conditions.

    pip would judge the conditions by the Python that runs it.
    """
    target = _environment()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return [
        f"{pin.name}{pin.specifier}"
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(target)
    ]


def install(wanted: Sequence[str], constraints: Sequence[str], folder: Path) -> None:
    """Download wheels for ARM64 and unpack them into a folder; pip is configured by the machine.

    Raises:
        SetupError: pip fails, for example because a package has no wheel for ARM64.

    """
    pins = folder / "constraints.txt"
    pins.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    platforms = [f"--platform={platform}" for platform in _platforms()]
    run_command(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--no-input", f"--target={folder}", "--only-binary=:all:", "--implementation=cp",
            f"--python-version={PYTHON}", *platforms, f"--constraint={pins}", *wanted,
        ]
    )  # fmt: skip


def _is_wanted(need: Requirement) -> bool:
    environment = _environment()
    return need.marker is None or any(
        need.marker.evaluate({**environment, "extra": extra}) for extra in _EXTRAS
    )


def _platforms() -> list[str]:
    """Return the platforms, newest first: pip prefers what is named first."""
    minors = range(_GLIBC, _OLDEST_GLIBC - 1, -1)
    return [*(f"manylinux_2_{minor}_aarch64" for minor in minors), "manylinux2014_aarch64"]


def _environment() -> dict[str, str]:
    """Return what the conditions of requirements ask about; both systems are Linux."""
    target = {
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0",
        "platform_machine": "aarch64",
    }
    return {**{key: str(value) for key, value in default_environment().items()}, **target}
