"""The version that was installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed() -> str:
    try:
        return version("granular-dq-mobile")
    except PackageNotFoundError:  # a copy of the sources on the path
        return "unknown"


__version__: Final = _installed()
"""Of the package that all commands come with; "unknown" if it was not installed."""
