"""The engine's test library: of the editable installation, or a build of another kind.

``GDQ_TEST_LIBRARY`` names the latter, one with sanitizers (``make test-engine-memory``).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import hatch_build
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.kernel_interface import Convolved, Kernel, KernelLibrary
from gdq_core.errors import EngineError

LIBRARY = Path(os.environ.get("GDQ_TEST_LIBRARY", hatch_build.TEST_LIBRARY))


@cache
def engine_library() -> KernelLibrary:
    """Raises EngineError where it was not built."""
    return KernelLibrary(LIBRARY)


def need_library() -> KernelLibrary:
    """Skips the test where the library was not built, fails it where it had to be."""
    try:
        return engine_library()
    except EngineError as error:
        if os.environ.get("GDQ_BUILD_ENGINE") == "1":
            raise
        pytest.skip(str(error))


def instruction_sets() -> list[str]:
    """Those that this processor has; none without the library. ``GDQ_TEST_ISA`` leaves one."""
    try:
        found = engine_library().instruction_sets()
    except EngineError:
        return []
    only = os.environ.get("GDQ_TEST_ISA")
    return [name for name, is_there in found.items() if is_there and only in (None, name)]


def kernels() -> list[Kernel]:
    """All of them; none without the library."""
    try:
        return engine_library().kernels()
    except EngineError:
        return []


def has_kernel(instruction_set: str, kernel: str) -> bool:
    return engine_library().has_kernel(instruction_set, kernel)


def convolve(
    instruction_set: str,
    kernel: Kernel,
    bits: int,
    is_signed: bool,
    codes: NDArray[np.int16],
    weights: NDArray[np.float32],
) -> Convolved:
    """Runs one kernel: codes (height, width, in), weights (out, in, 3, 3)."""
    return need_library().convolve(instruction_set, kernel, bits, is_signed, codes, weights)
