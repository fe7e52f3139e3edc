from __future__ import annotations

import pytest

from gdq_models import CheckpointError
from gdq_models.networks.shapes import count_blocks, count_channels, find_gate, find_scale

BLOCK = r"body\.(\d+)\.conv1\.weight"


def numbered(*numbers: int) -> dict[str, tuple[int, ...]]:
    return {f"body.{number}.conv1.weight": (4, 4, 3, 3) for number in numbers}


def test_counts_blocks() -> None:
    assert count_blocks(numbered(1, 0, 2), BLOCK) == 3


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((), "no residual block"),
        ((0, 2), "block 1 is missing"),
        ((1, 2), "block 0 is missing"),
        ((99_999,), "block 0 is missing"),
        (tuple(range(300)), "300 blocks are too many"),
    ],
)
def test_refuses_senseless_block_numbers(numbers: tuple[int, ...], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        count_blocks(numbered(*numbers), BLOCK)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "is missing"),
        ((64, 1, 3, 3), "not that of an RGB convolution"),
        ((64,), "not that of an RGB convolution"),
        ((10**9, 3, 3, 3), "outside the range"),
        ((0, 3, 3, 3), "outside the range"),
    ],
)
def test_refuses_senseless_heads(shape: tuple[int, ...] | None, message: str) -> None:
    shapes = {} if shape is None else {"head.weight": shape}
    with pytest.raises(CheckpointError, match=message):
        count_channels(shapes, "head.weight")


@pytest.mark.parametrize(("outputs", "scale"), [((256,), 2), ((576,), 3), ((256, 256), 4)])
def test_finds_the_scale(outputs: tuple[int, ...], scale: int) -> None:
    shapes = {f"up.{number}": (size, 64, 3, 3) for number, size in enumerate(outputs)}
    assert find_scale(shapes, ("up.0", "up.1"), 64) == scale


@pytest.mark.parametrize("outputs", [(), (128,), (576, 576), (256, 576)])
def test_refuses_an_upsampler_of_no_scale(outputs: tuple[int, ...]) -> None:
    shapes = {f"up.{number}": (size, 64, 3, 3) for number, size in enumerate(outputs)}
    with pytest.raises(CheckpointError, match="none of the scales"):
        find_scale(shapes, ("up.0", "up.1"), 64)


def test_finds_the_gate() -> None:
    assert find_gate({}) == "linear"
    assert find_gate({"predictor.gate.norms.0.weight": (64,)}) == "group_norm"
    assert find_gate({"predictor.weights": (3, 9)}) == "statistics"
