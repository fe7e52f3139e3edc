"""Layers that narrow their sums, against the same arithmetic in 64 bits: equal in every bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.algorithms import HALVED, KERNELS, Algorithm, Integers, pad_codes, products
from engine.kernel_interface import Body, Kernel, KernelLibrary
from engine.library import instruction_sets, kernels, need_library

CODE_SHIFT = 4
"""Codes are computed in sixteenths."""

cases = [
    pytest.param(name, kernel, id=f"{kernel.name}-{name}")
    for name in instruction_sets()
    for kernel in kernels()
    if kernel.weight_bits == 8 and kernel.name != "direct_int8"
    if need_library().body_group(name, kernel.name)
]
on_each = pytest.mark.parametrize(("instruction_set", "kernel"), cases)
few = settings(max_examples=20)


def shifted(numbers: Integers, shift: Integers | int) -> Integers:
    """Halves go up."""
    half = np.where(np.asarray(shift) > 0, 1 << np.maximum(np.asarray(shift) - 1, 0), 0)
    return (numbers + half) >> shift


def saturated(numbers: Integers) -> Integers:
    return np.clip(numbers, -(2**15), 2**15 - 1)


def halvings(kernel: str) -> Integers:
    """(points down, points across): what is dropped of a point's sums beside the narrowing."""
    down, across = KERNELS[kernel]
    return _halved(down)[:, None] + _halved(across)


def _halved(algorithm: Algorithm) -> Integers:
    found = np.zeros(len(algorithm.data), np.int64)
    found[HALVED[id(algorithm)]] = 1
    return found


def expected_outputs(kernel: str, body: Body, transformed: NDArray[np.int32]) -> Integers:
    """Narrowed sums behind the output transform: (height, width, out)."""
    down, across = KERNELS[kernel]
    padded = pad_codes(kernel, body.codes.astype(np.int16), body.outside)
    sums = products(kernel, padded, transformed)
    sums[:, :, 1, 1] += body.start
    assert np.abs(sums).max() < 2**31
    shift = body.narrowing + halvings(kernel)
    narrow = saturated(shifted(sums, shift[:, :, None]))
    rows = down.outputs / down.factor * 2 ** _halved(down)
    columns = across.outputs / across.factor * 2 ** _halved(across)
    tiles = np.einsum("yi,xj,abijo->aybxo", rows, columns, narrow.astype(np.float64))
    a, y, b, x, out = tiles.shape
    height, width, _ = body.codes.shape
    made = tiles.reshape(a * y, b * x, out)[:height, :width].astype(np.int64)
    wrapped: Integers = (made + 2**15) % 2**16 - 2**15
    return wrapped  # the plan proves that nothing wraps; here it may


def check(library: KernelLibrary, instruction_set: str, kernel: Kernel, body: Body) -> None:
    made = library.run_body(instruction_set, kernel, body)
    sums = expected_outputs(kernel.name, body, made.transformed)
    scaled = shifted(sums * body.factors, 15)
    if body.residual is not None:
        stream = saturated(body.residual + scaled)
        np.testing.assert_array_equal(made.stream, stream)
        scaled = shifted(stream * body.codes_factor, 15)
    if body.has_codes:
        np.testing.assert_array_equal(
            made.codes, np.clip(shifted(scaled, CODE_SHIFT), *body.limits)
        )


@on_each
@few
@given(data=st.data())
def test_equals_64_bit_integers(instruction_set: str, kernel: Kernel, data: st.DataObject) -> None:
    library = need_library()
    group = library.body_group(instruction_set, kernel.name)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    height, width = data.draw(st.tuples(st.integers(1, 21), st.integers(1, 21)), "size")
    inputs = 16 * data.draw(st.integers(1, 5), "input channels / 16")
    out = group * data.draw(st.integers(1, 3), "groups of output channels")
    bits = data.draw(st.integers(2, kernel.largest_bits), "bits")
    half = 1 << (bits - 1)
    shape = (height, width, out)
    body = Body(
        random.integers(-half, half, (height, width, inputs)).astype(np.int8),
        data.draw(st.sampled_from([0, -half]), "outside"),
        random.normal(size=(out, inputs, 3, 3)).astype(np.float32),
        random.integers(-5000, 5000, out).astype(np.int32),
        data.draw(st.integers(0, 6), "narrowing"),
        random.integers(1, 2**15, out).astype(np.int16),
        data.draw(st.sampled_from([(-8, 7), (-32, 31), (-128, 127)]), "limits"),
    )
    ends = data.draw(st.sampled_from(["codes", "stream", "both"]), "ends")
    if ends != "codes":
        body = Body(
            **{
                **vars(body),
                "residual": random.integers(-(2**15), 2**15, shape).astype(np.int16),
                "codes_factor": int(random.integers(128, 2**15)),
                "has_codes": ends == "both",
            }
        )
    check(library, instruction_set, kernel, body)


@on_each
@pytest.mark.parametrize("channels", [32, 64])
@pytest.mark.parametrize("width", [23, 24, 25, 48, 97])
def test_any_number_of_tiles(
    instruction_set: str, kernel: Kernel, channels: int, width: int
) -> None:
    """Tiles of several rows are computed together."""
    random = np.random.default_rng(width)
    half = 1 << (kernel.largest_bits - 1)
    out = need_library().body_group(instruction_set, kernel.name) * 2
    body = Body(
        random.integers(-half, half, (9, width, channels)).astype(np.int8),
        -half,
        random.normal(size=(out, channels, 3, 3)).astype(np.float32),
        random.integers(-5000, 5000, out).astype(np.int32),
        4,
        random.integers(1, 2**15, out).astype(np.int16),
        (-half, half - 1),
    )
    check(need_library(), instruction_set, kernel, body)
