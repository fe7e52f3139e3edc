"""The engine's library, for tests: the installation's own, or a build of another kind.

``GDQ_TEST_LIBRARY`` names the latter, one with sanitizers (``make test-engine-memory``).
"""

from __future__ import annotations

import os
from ctypes import POINTER, byref, c_float, c_int16, c_int32
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import LIBRARY, KernelInfo, NativeLibrary


@cache
def engine_library() -> NativeLibrary:
    """Raises EngineError where it was not built."""
    return NativeLibrary(Path(os.environ.get("GDQ_TEST_LIBRARY", LIBRARY)))


def need_library() -> NativeLibrary:
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


@dataclass(frozen=True)
class Kernel:
    """A line of the library's own list."""

    name: str
    rows: int
    columns: int
    products: int
    weight_bits: int
    largest_bits: int


def kernels() -> list[Kernel]:
    """All of them; none without the library."""
    try:
        functions = engine_library().functions
    except EngineError:
        return []
    found = []
    for index in range(functions.gdq_kernel_count()):
        info = KernelInfo()
        assert functions.gdq_kernel_describe(index, byref(info)) == 0
        numbers = (info.rows, info.columns, info.products, info.weight_bits, info.largest_bits)
        found.append(Kernel(info.name.decode(), *numbers))
    return found


def has_kernel(instruction_set: str, kernel: str) -> bool:
    functions = engine_library().functions
    return bool(functions.gdq_kernel_available(instruction_set.encode(), kernel.encode()))


@dataclass(frozen=True, eq=False)
class Convolved:
    """What a kernel made of codes, and of which weights."""

    sums: NDArray[np.float32]
    """(height, width, out)."""
    transformed: NDArray[np.int32]
    """(products, out, in)."""
    scales: NDArray[np.float32]
    """(out): sums -> the convolution."""

    @property
    def real(self) -> NDArray[np.float64]:
        return self.sums.astype(np.float64) * self.scales


def convolve(
    instruction_set: str,
    kernel: Kernel,
    bits: int,
    is_signed: bool,
    codes: NDArray[np.int16],
    weights: NDArray[np.float32],
) -> Convolved:
    """Runs one kernel: codes (height, width, in), weights (out, in, 3, 3)."""
    library = need_library()
    height, width, inputs = codes.shape
    outputs = weights.shape[0]
    codes, weights = np.ascontiguousarray(codes), np.ascontiguousarray(weights)
    sums = np.full((height, width, outputs), np.nan, np.float32)
    transformed = np.zeros((kernel.products, outputs, inputs), np.int32)
    scales = np.zeros(outputs, np.float32)
    status = library.functions.gdq_kernel_run(
        instruction_set.encode(), kernel.name.encode(), bits, is_signed,
        height, width, inputs, outputs,
        codes.ctypes.data_as(POINTER(c_int16)), weights.ctypes.data_as(POINTER(c_float)),
        sums.ctypes.data_as(POINTER(c_float)), transformed.ctypes.data_as(POINTER(c_int32)),
        scales.ctypes.data_as(POINTER(c_float)), 1,
    )  # fmt: skip
    assert status == 0, library.last_error()
    return Convolved(sums, transformed, scales)
