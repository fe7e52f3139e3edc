"""The library of the engine gdq, for tests that run it."""

from __future__ import annotations

import os

import pytest

from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import NativeLibrary, load_library


def need_library() -> NativeLibrary:
    """Skips the test where the library was not built, fails it where it had to be."""
    try:
        return load_library()
    except EngineError as error:
        if os.environ.get("GDQ_BUILD_ENGINE") == "1":
            raise
        pytest.skip(str(error))
