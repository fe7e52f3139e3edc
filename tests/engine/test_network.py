"""Whole packed models against their meaning in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.kernel_interface import Kernel
from engine.library import has_kernel, instruction_sets, kernels, need_library
from engine.networks import BIT_WIDTHS, NETWORKS, Builder
from engine.packed import Network
from gdq_runtime.engines.native_library import NativeModel, NativeRunner

on_each = pytest.mark.parametrize("instruction_set", instruction_sets())
of_each = pytest.mark.parametrize("name", NETWORKS)
# What is asserted of rounding is likely, not certain: the same examples every time.
few = settings(max_examples=10, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(2, 40)

EXACT = "direct_int8"
"""Keeps the weights of a packed model; others round what they transform them to."""

on_each_exact = pytest.mark.parametrize(
    "instruction_set", [name for name in instruction_sets() if has_kernel(name, EXACT)]
)


def load(network: Network, instruction_set: str, kernel: str | None = None) -> NativeModel:
    library = need_library()
    model = NativeModel(library, network.to_bytes(), instruction_set)
    if kernel is None:
        return model
    for bit_width in model.bit_widths:
        assert library.choose_kernel(model, bit_width, kernel), library.last_error()
    return model


def upscale(model: NativeModel, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return NativeRunner(model, *tile.shape[:2]).run(bit_width, tile)


def expected_picture(
    network: Network, bit_width: int, tile: NDArray[np.uint8]
) -> NDArray[np.float64]:
    return np.clip(network.run(bit_width, tile)[-1], 0, 255)


def random_tile(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@on_each_exact
@of_each
@few
@given(
    seed=seeds, scale=st.sampled_from([2, 3, 4]), bit_width=st.sampled_from(BIT_WIDTHS),
    groups=st.integers(1, 3), height=sides, width=sides,
)  # fmt: skip
def test_computes_what_the_format_means(
    instruction_set: str, name: str, seed: int, scale: int, bit_width: int, groups: int,
    height: int, width: int,
) -> None:  # fmt: skip
    network = NETWORKS[name](seed, scale, channels=16 * groups)
    tile = random_tile(seed, height, width)
    model = load(network, instruction_set, EXACT)
    error = np.abs(upscale(model, bit_width, tile) - expected_picture(network, bit_width, tile))
    # Rounding a picture costs 0.25 on average and 0.5 at most. Where float and float64 round a code
    # apart, which is rare, the pixels around it differ by what one step of codes makes of them.
    assert error.mean() < 0.4
    assert error.max() < 10


@on_each_exact
@of_each
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_is_within_a_level_almost_everywhere(instruction_set: str, name: str, scale: int) -> None:
    network = NETWORKS[name](scale, scale, channels=32)
    model = load(network, instruction_set, EXACT)
    tile = random_tile(0, 21, 26)
    for bit_width in BIT_WIDTHS:
        error = np.abs(upscale(model, bit_width, tile) - expected_picture(network, bit_width, tile))
        assert (error > 1).mean() < 0.06


@on_each
@of_each
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
def test_its_own_kernels_come_close(instruction_set: str, name: str, bit_width: int) -> None:
    """Transformed weights are rounded; in these networks nothing of that averages out."""
    network = NETWORKS[name](bit_width, 2, channels=48)
    tile = random_tile(1, 22, 31)
    error = upscale(load(network, instruction_set), bit_width, tile) - expected_picture(
        network, bit_width, tile
    )
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 30


@on_each
@of_each
@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
def test_equals_the_scalar_kernels(instruction_set: str, name: str, kernel: Kernel) -> None:
    """Only the order of float additions differs, which seldom is seen."""
    if not has_kernel(instruction_set, kernel.name):
        pytest.skip("not written for this instruction set")
    bit_widths = tuple(bits for bits in BIT_WIDTHS if bits <= kernel.largest_bits)
    # As many channels as any instruction set needs to narrow sums: all do, or none.
    network = NETWORKS[name](1, 2, channels=32, bit_widths=bit_widths)
    scalar = load(network, "scalar", kernel.name)
    model = load(network, instruction_set, kernel.name)
    for height, width in ((2, 2), (3, 9), (16, 24), (19, 50)):
        tile = random_tile(height, height, width)
        for bit_width in bit_widths:
            expected = upscale(scalar, bit_width, tile).astype(int)
            difference = np.abs(upscale(model, bit_width, tile) - expected)
            assert (difference > 1).mean() < 0.06
            assert difference.max() <= 10


@on_each_exact
@pytest.mark.parametrize("channels", range(16, 97, 16))
def test_any_number_of_channels(instruction_set: str, channels: int) -> None:
    network = NETWORKS["residual_blocks"](channels, 2, channels=channels)
    model = load(network, instruction_set, EXACT)
    tile = random_tile(channels, 9, 51)
    for bit_width in BIT_WIDTHS:
        error = np.abs(upscale(model, bit_width, tile) - expected_picture(network, bit_width, tile))
        assert (error > 1).mean() < 0.06


@on_each_exact
@pytest.mark.parametrize("level", [0, 255])
def test_pictures_of_one_colour(instruction_set: str, level: int) -> None:
    network = NETWORKS["residual_blocks"](3, 3)
    tile = np.full((10, 13, 3), level, np.uint8)
    model = load(network, instruction_set, EXACT)
    for bit_width in BIT_WIDTHS:
        error = np.abs(upscale(model, bit_width, tile) - expected_picture(network, bit_width, tile))
        assert error.max() < 10


@pytest.mark.parametrize("bit_widths", [(8,), (2, 3), (2, 4, 7), (3, 5, 6, 7)])
def test_any_set_of_bit_widths(bit_widths: tuple[int, ...]) -> None:
    network = NETWORKS["residual_blocks"](4, 2, bit_widths=bit_widths)
    model = load(network, "scalar", EXACT)
    assert model.bit_widths == bit_widths
    tile = random_tile(0, 12, 12)
    for bit_width in bit_widths:
        error = np.abs(upscale(model, bit_width, tile) - expected_picture(network, bit_width, tile))
        assert error.mean() < 0.4


@on_each
@pytest.mark.parametrize("magnitude", [1e3, 1e7, 1e12, 1e30])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_saturates_at_both_ends(instruction_set: str, magnitude: float, signed: bool) -> None:
    """Whatever the magnitude: beyond 32 bits, too."""
    b = Builder(0, 2)
    stream, codes, end = b.stream(), b.codes(signed=signed), b.stream()
    b.real(0, 1, stream=stream, codes=codes)
    b.network.layers[-1].bias[0] = magnitude * np.resize([1, -1], b.channels)
    b.integer(codes, residual=stream, factor=0.2, stream=end)
    b.real(end, 1, block=2, stream=b.picture())
    tile = random_tile(0, 6, 9)
    kernel = EXACT if has_kernel(instruction_set, EXACT) else None
    model = load(b.network, instruction_set, kernel)
    for bit_width in BIT_WIDTHS:
        expected = expected_picture(b.network, bit_width, tile)
        assert np.abs(upscale(model, bit_width, tile) - expected).max() < 1
