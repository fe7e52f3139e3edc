"""Runners: sizes, threads, and memory that values share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.library import has_kernel, instruction_sets, kernels, need_library
from engine.networks import BIT_WIDTHS, NETWORKS, Builder
from engine.test_network import EXACT, expected_picture, load, on_each_exact, random_tile, upscale
from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import NativeModel, NativeRunner

on_each = pytest.mark.parametrize("instruction_set", instruction_sets())


@on_each
def test_widths_may_follow_in_any_order(instruction_set: str) -> None:
    """The borders of unsigned codes hold another number at each width."""
    model = load(NETWORKS["residual_blocks"](0, 2), instruction_set)
    tile = random_tile(0, 11, 14)
    runner = NativeRunner(model, 11, 14)
    expected = {bit_width: upscale(model, bit_width, tile) for bit_width in BIT_WIDTHS}
    for bit_width in (8, 4, 5, 4, 6, 8, 8, 4):
        np.testing.assert_array_equal(runner.run(bit_width, tile), expected[bit_width])


@on_each
def test_remembers_nothing_of_the_last_tile(instruction_set: str) -> None:
    model = load(NETWORKS["every_kernel_side"](0, 2), instruction_set)
    runner = NativeRunner(model, 10, 17)
    tiles = [random_tile(seed, 10, 17) for seed in range(3)]
    for tile in (*tiles, *tiles):
        np.testing.assert_array_equal(runner.run(5, tile), upscale(model, 5, tile))


@on_each
@pytest.mark.parametrize("name", NETWORKS)
def test_threads_share_a_model(instruction_set: str, name: str) -> None:
    network = NETWORKS[name](1, 2)
    tiles = [random_tile(seed, 13, 18) for seed in range(8)]
    jobs = [(bit_width, tile) for tile in tiles for bit_width in BIT_WIDTHS]
    expected = [upscale(load(network, instruction_set), *job) for job in jobs]
    shared = load(network, instruction_set)

    def run_every_fourth(first: int) -> list[NDArray[np.uint8]]:
        runner = NativeRunner(shared, 13, 18)
        return [runner.run(*job) for job in jobs[first::4]]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(run_every_fourth, range(4)))
    for first, pictures in enumerate(answers):
        for picture, other in zip(pictures, expected[first::4], strict=True):
            np.testing.assert_array_equal(picture, other)


@on_each
@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_one_layer_at_all_widths_of_a_tile(instruction_set: str, kernel: int, scale: int) -> None:
    """Its scratch memory is all that the runner has: none of a larger layer stands behind it."""
    network = NETWORKS["only_pictures"](kernel, scale, kernel=kernel)
    model = load(network, instruction_set)
    for width in range(2, 40):
        tile = random_tile(width, 3, width)
        error = np.abs(upscale(model, 8, tile) - expected_picture(network, 8, tile))
        assert error.max() < 0.51


@on_each
@pytest.mark.parametrize("is_source", [False, True], ids=["another stream", "the source"])
@pytest.mark.parametrize(("kernel", "places"), [(5, 1), (5, 9)])
def test_a_residual_is_read_before_its_place_is_taken(
    instruction_set: str, kernel: int, places: int, is_source: bool
) -> None:
    b = Builder(kernel, 2)
    # All three are read by a 5x5 kernel: with borders alike, the sum may take the residual's map.
    first, second, last = b.stream(), b.stream(), b.stream()
    b.real(0, 3, stream=first)
    b.real(first, 5, stream=second)
    residual = second if is_source else first
    b.real(second, kernel, places=places, residual=residual, stream=last)
    b.real(last, 5, block=2, stream=b.picture())
    tile = random_tile(0, 7, 9)
    error = upscale(load(b.network, instruction_set), 8, tile) - expected_picture(
        b.network, 8, tile
    )
    assert np.abs(error).max() < 0.6


@pytest.mark.parametrize("size", [(1, 8), (8, 1), (0, 8), (-4, 8), (4097, 2), (2, 1 << 30)])
def test_refuses_sizes(size: tuple[int, int]) -> None:
    model = NativeModel(need_library(), NETWORKS["only_pictures"](0, 2).to_bytes())
    with pytest.raises(EngineError, match=r"cannot be run: sides may be 2 to 4096 pixels long"):
        NativeRunner(model, *size)


def test_runs_the_largest_side() -> None:
    network = NETWORKS["only_pictures"](0, 2)
    tile = random_tile(0, 2, 4096)
    picture = upscale(load(network, "scalar"), 4, tile)
    assert np.abs(picture - expected_picture(network, 4, tile)).max() < 0.51


@on_each_exact
def test_names_its_kernels(instruction_set: str) -> None:
    model = load(NETWORKS["residual_blocks"](0, 2), instruction_set, EXACT)
    assert {model.kernel(bit_width) for bit_width in BIT_WIDTHS} == {EXACT}


@on_each
def test_refuses_kernels_that_are_not_exact(instruction_set: str) -> None:
    library = need_library()
    model = load(NETWORKS["residual_blocks"](0, 2), instruction_set)
    for kernel in kernels():
        for bit_width in BIT_WIDTHS:
            fits = bit_width <= kernel.largest_bits and has_kernel(instruction_set, kernel.name)
            assert library.choose_kernel(model, bit_width, kernel.name) == fits
            assert fits or kernel.name in library.last_error()


def test_ends_are_chosen_before_the_first_tile() -> None:
    library = need_library()
    model = load(NETWORKS["residual_blocks"](0, 2), "scalar")
    assert library.avoid_half(model)
    upscale(model, BIT_WIDTHS[0], random_tile(0, 8, 8))
    assert not library.avoid_half(model)
    assert library.last_error() == "kernels can only be chosen before the first tile"
