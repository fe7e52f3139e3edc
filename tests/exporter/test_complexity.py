from __future__ import annotations

import pytest

from exporter.networks import Network, random
from exporter.traced import network, traced
from gdq_exporter.complexity import Macs, count_macs


def of_edsr(channels: int, blocks: int, factors: tuple[int, ...]) -> Macs:
    """All convs 3x3; each upsampler and the tail work on as many pixels as there are by then."""
    square, pixels = 9 * channels**2, 1
    floating = 9 * 3 * channels + square
    for factor in factors:
        floating += pixels * square * factor**2
        pixels *= factor**2
    return Macs(2 * blocks * square, floating + pixels * 9 * channels * 3)


@pytest.mark.parametrize(
    ("factors", "expected"),
    [((2,), Macs(1_179_648, 192_960)), ((2, 2), Macs(1_179_648, 803_520))],
)
def test_the_formula_gives_the_published_numbers(factors: tuple[int, ...], expected: Macs) -> None:
    """EDSR-baseline (paper notes, section 1.5)."""
    assert of_edsr(64, 16, factors) == expected


@pytest.mark.parametrize(
    ("name", "factors"), [("edsr x2", (2,)), ("edsr x3", (3,)), ("edsr x4", (2, 2))]
)
def test_counts_of_traced_networks(name: str, factors: tuple[int, ...]) -> None:
    edsr = network(name)
    assert count_macs(traced(name)) == of_edsr(edsr.channels, edsr.blocks, factors)


def test_counts_of_a_traced_srresnet() -> None:
    """9x9 head and tail."""
    channels = network("srresnet x4").channels
    square, end = 9 * channels**2, 81 * 3 * channels
    floating = end + square + 4 * square + 4 * 4 * square + 16 * end
    assert count_macs(traced("srresnet x4")) == Macs(2 * square, floating)


def test_grouped_convs_count_their_group_only() -> None:
    builder = Network(4)
    model = builder.model(builder.conv(builder.x, random(8, 2, 3, 3), group=2))
    assert count_macs(model) == Macs(0, 8 * 2 * 9)


def test_a_stride_leaves_fewer_pixels_and_a_transposed_conv_makes_more() -> None:
    """Here 2x1, then 1x3 the other way: 3/2 of the pixels remain for the last."""
    builder = Network(4)
    down = builder.conv(builder.x, random(6, 4, 3, 3), strides=[2, 1])
    kernel = builder.constant(random(6, 5, 3, 3))
    up = builder.op("ConvTranspose", down, kernel, strides=[1, 3])
    model = builder.model(builder.conv(up, random(3, 5, 1, 1), pads=[0] * 4))
    floating = 6 * 4 * 9 / 2 + 6 * 5 * 9 / 2 + 3 * 5 * 3 / 2
    assert count_macs(model) == Macs(0, round(floating))


def test_products_with_a_matrix_count() -> None:
    builder = Network(4)
    model = builder.model(builder.op("MatMul", builder.x, builder.constant(random(4, 7))))
    assert count_macs(model) == Macs(0, 28)
