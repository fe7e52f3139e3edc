"""The library gdq_engine_test: all of the engine's, and its kernels one by one (gdq_engine_test.h).

Imports nothing of the tests, because the emulated machine imports it as well.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_float, c_int8, c_int16, c_int32, c_void_p
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.engines.native_library import NativeLibrary, NativeModel


class _KernelInfo(ctypes.Structure):
    """``gdq_kernel_info``."""

    _fields_ = (
        ("name", c_char_p),
        ("rows", c_int32),
        ("columns", c_int32),
        ("products", c_int32),
        ("weight_bits", c_int32),
        ("largest_bits", c_int32),
    )


class _BodyLayer(ctypes.Structure):
    """``gdq_body_layer``."""

    _fields_ = (
        ("height", c_int32),
        ("width", c_int32),
        ("in_channels", c_int32),
        ("out_channels", c_int32),
        ("codes", c_void_p),
        ("outside", c_int32),
        ("weights", c_void_p),
        ("start", c_void_p),
        ("narrowing", c_int32),
        ("factors", c_void_p),
        ("residual", c_void_p),
        ("stream", c_void_p),
        ("codes_factor", c_int16),
        ("low", c_int8),
        ("high", c_int8),
        ("made", c_void_p),
        ("transformed", c_void_p),
    )


_SIGNATURES = {
    # function: (result, arguments), in the order of gdq_engine_test.h
    "gdq_kernel_count": (c_int32, ()),
    "gdq_kernel_describe": (c_int32, (c_int32, POINTER(_KernelInfo))),
    "gdq_kernel_available": (c_int32, (c_char_p, c_char_p)),
    "gdq_kernel_run": (
        c_int32,
        (
            c_char_p, c_char_p, c_int32, c_int32, c_int32, c_int32, c_int32, c_int32,
            POINTER(c_int16), POINTER(c_float), POINTER(c_float), POINTER(c_int32),
            POINTER(c_float), c_int32,
        ),
    ),
    "gdq_body_group": (c_int32, (c_char_p, c_char_p)),
    "gdq_body_run": (c_int32, (c_char_p, c_char_p, POINTER(_BodyLayer))),
    "gdq_model_choose_kernel": (c_int32, (c_void_p, c_int32, c_char_p)),
    "gdq_model_avoid_half": (c_int32, (c_void_p,)),
}  # fmt: skip


@dataclass(frozen=True)
class Kernel:
    """A line of the library's own list."""

    name: str
    rows: int
    columns: int
    products: int
    weight_bits: int
    largest_bits: int


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


@dataclass(frozen=True, eq=False)
class Body:
    """A layer that ends in integers, in the numbers it is computed in (src/kernels/body.h)."""

    codes: NDArray[np.int8]
    """(height, width, in): less their centre."""
    outside: int
    """The code around them."""
    weights: NDArray[np.float32]
    """(out, in, 3, 3)."""
    start: NDArray[np.int32]
    """(out): added to the point of constants."""
    narrowing: int
    factors: NDArray[np.int16]
    """(out)."""
    limits: tuple[int, int]
    """Of the codes that are made."""
    residual: NDArray[np.int16] | None = None
    """(height, width, out); without, codes are made of the sums."""
    codes_factor: int = 0
    """Of the stream."""
    has_codes: bool = True


@dataclass(frozen=True, eq=False)
class BodyResult:
    """What became of it."""

    codes: NDArray[np.int8]
    stream: NDArray[np.int16]
    transformed: NDArray[np.int32]
    """(products, out, in): the weights that were used."""


class KernelLibrary(NativeLibrary):
    """The engine with its kernels in sight."""

    def __init__(self, path: Path) -> None:
        """Raises EngineError if the library is not there or cannot be loaded."""
        super().__init__(path)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self.functions, name)
            function.restype, function.argtypes = result, arguments

    def kernels(self) -> list[Kernel]:
        """All of them, on whichever instruction sets."""
        found = []
        for index in range(self.functions.gdq_kernel_count()):
            info = _KernelInfo()
            assert self.functions.gdq_kernel_describe(index, byref(info)) == 0
            numbers = (info.rows, info.columns, info.products, info.weight_bits, info.largest_bits)
            found.append(Kernel(info.name.decode(), *numbers))
        return found

    def has_kernel(self, instruction_set: str, kernel: str) -> bool:
        """Whether an instruction set has a kernel."""
        return bool(self.functions.gdq_kernel_available(instruction_set.encode(), kernel.encode()))

    def choose_kernel(self, model: NativeModel, bit_width: int, kernel: str) -> bool:
        """Run a kernel at a bit-width; False if it is refused, for the reason in ``last_error``."""
        chosen = self.functions.gdq_model_choose_kernel(model.handle, bit_width, kernel.encode())
        assert chosen in (0, -1)
        return bool(chosen == 0)

    def avoid_half(self, model: NativeModel) -> bool:
        """Compute no layer in half precision; False if a tile has been run already."""
        return bool(self.functions.gdq_model_avoid_half(model.handle) == 0)

    def convolve(
        self,
        instruction_set: str,
        kernel: Kernel,
        bits: int,
        is_signed: bool,
        codes: NDArray[np.int16],
        weights: NDArray[np.float32],
    ) -> Convolved:
        """Run one kernel: codes (height, width, in), weights (out, in, 3, 3)."""
        height, width, inputs = codes.shape
        outputs = weights.shape[0]
        codes, weights = np.ascontiguousarray(codes), np.ascontiguousarray(weights)
        sums = np.full((height, width, outputs), np.nan, np.float32)
        transformed = np.zeros((kernel.products, outputs, inputs), np.int32)
        scales = np.zeros(outputs, np.float32)
        status = self.functions.gdq_kernel_run(
            instruction_set.encode(), kernel.name.encode(), bits, is_signed,
            height, width, inputs, outputs,
            codes.ctypes.data_as(POINTER(c_int16)), weights.ctypes.data_as(POINTER(c_float)),
            sums.ctypes.data_as(POINTER(c_float)), transformed.ctypes.data_as(POINTER(c_int32)),
            scales.ctypes.data_as(POINTER(c_float)), 1,
        )  # fmt: skip
        assert status == 0, self.last_error()
        return Convolved(sums, transformed, scales)

    def body_group(self, instruction_set: str, kernel: str) -> int:
        """Output channels computed together where layers end in integers; 0: there are none."""
        group = self.functions.gdq_body_group(instruction_set.encode(), kernel.encode())
        assert group >= 0, self.last_error()
        return int(group)

    def run_body(self, instruction_set: str, kernel: Kernel, body: Body) -> BodyResult:
        """Run a layer that ends in integers."""
        height, width, inputs = body.codes.shape
        outputs = len(body.weights)
        shape = (height, width, outputs)
        made = np.full(shape, 99, np.int8)
        stream = np.full(shape, 9999, np.int16)
        transformed = np.zeros((kernel.products, outputs, inputs), np.int32)
        arrays = [np.ascontiguousarray(a) for a in (body.codes, body.weights, body.start)]
        factors = np.ascontiguousarray(body.factors)
        residual = None if body.residual is None else np.ascontiguousarray(body.residual)
        codes, weights, start = (array.ctypes.data for array in arrays)
        layer = _BodyLayer(
            height, width, inputs, outputs, codes, body.outside, weights, start, body.narrowing,
            factors.ctypes.data, None if residual is None else residual.ctypes.data,
            stream.ctypes.data, body.codes_factor, *body.limits,
            made.ctypes.data if body.has_codes else None, transformed.ctypes.data,
        )  # fmt: skip
        status = self.functions.gdq_body_run(
            instruction_set.encode(), kernel.name.encode(), byref(layer)
        )
        assert status == 0, self.last_error()
        return BodyResult(made, stream, transformed)
