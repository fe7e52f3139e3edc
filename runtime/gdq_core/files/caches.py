"""Where what can be made again is kept for the user, by the customs of the system."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this project; it may not exist yet.

    Raises:
        RuntimeError: the system knows no home folder of this user.

    """
    given = Path(environment.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        caches = given
    elif sys.platform == "win32":
        caches = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    else:
        caches = Path.home() / ".cache"
    return caches / "granular-dq-mobile"
