from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest

from engine import reference
from exporter import oracle
from exporter.networks import Network, random, random_codes
from factories import sample_tiles
from gdq_exporter.errors import ExportError
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.engine.translation import translate
from gdq_exporter.targets.engine.writer import pack

TILES = sample_tiles(4, 12).permute(0, 2, 3, 1).byte().numpy()
CHANNELS = 16
Build = Callable[[Network], ir.Value]


def head(n: Network, seed: int = 0) -> ir.Value:
    """Features of the tile, about -10..10."""
    return n.conv(n.x, random(CHANNELS, 3, 3, 3, seed=seed) / 100, random(CHANNELS, seed=seed + 1))


def features(n: Network, x: ir.Value, outputs: int = CHANNELS, seed: int = 3) -> ir.Value:
    """A real 3x3 conv of features."""
    return n.conv(x, random(outputs, CHANNELS, 3, 3, seed=seed) / 10, random(outputs, seed=seed))


def integers(n: Network, x: ir.Value, seed: int = 3) -> ir.Value:
    """An integer conv, its input in 4 bits with signs, its output rounded to 8 bits."""
    weight = n.integer_weight(random_codes(CHANNELS, CHANNELS, 3, 3, seed=seed), 1e-3)
    return n.conv(n.quantized(x, 1, 8, 15), weight, random(CHANNELS, seed=seed))


def tail(n: Network, x: ir.Value) -> ir.Value:
    """The picture at x2."""
    bias = np.full(12, 128, np.float32)
    x = n.conv(x, random(12, CHANNELS, 3, 3, seed=9), bias)
    return n.op("DepthToSpace", x, blocksize=2, mode="DCR")


def prelu(n: Network, x: ir.Value) -> ir.Value:
    return n.op("PRelu", x, n.constant(random(CHANNELS, 1, 1, seed=5)))


def affine(n: Network, x: ir.Value, seed: int = 6) -> ir.Value:
    """A factor and an offset per channel."""
    x = n.op("Mul", x, n.constant(random(1, CHANNELS, 1, 1, seed=seed)))
    return n.op("Add", n.constant(random(1, CHANNELS, 1, 1, seed=seed + 1)), x)


def shuffled(n: Network, x: ir.Value) -> ir.Value:
    """Upsampled by two, twice as wide before it."""
    return n.op("DepthToSpace", features(n, x, 4 * CHANNELS), blocksize=2, mode="DCR")


def tail_without_shuffle(n: Network, x: ir.Value) -> ir.Value:
    bias = np.full(3, 128, np.float32)
    return n.conv(x, random(3, CHANNELS, 9, 9, seed=9) / 4, bias, pads=[4] * 4)


EXPRESSIBLE: dict[str, tuple[int, Build]] = {
    # name: (layers, network)
    "head and tail": (2, lambda n: tail(n, head(n))),
    "ReLU": (2, lambda n: tail(n, n.op("Relu", head(n)))),
    "LeakyReLU": (2, lambda n: tail(n, n.op("LeakyRelu", head(n), alpha=-0.3))),
    "PReLU": (2, lambda n: tail(n, prelu(n, head(n)))),
    "factor and offset": (2, lambda n: tail(n, affine(n, head(n)))),
    "two of them": (2, lambda n: tail(n, affine(n, affine(n, prelu(n, head(n)), 1), 6))),
    "offset alone": (2, lambda n: tail(n, n.op("Add", head(n), n.constant([2.5])))),
    "9x9 tail": (3, lambda n: tail_without_shuffle(n, shuffled(n, head(n)))),
    "PReLU behind a shuffle": (
        3,
        lambda n: tail_without_shuffle(n, affine(n, prelu(n, shuffled(n, head(n))))),
    ),
    "residual": (3, lambda n: tail(n, n.op("Add", h := head(n), features(n, h)))),
    "residual times a number": (
        3,
        lambda n: tail(
            n, n.op("Add", n.op("Mul", h := head(n), n.constant([0.5])), features(n, h))
        ),
    ),
    "sum of two convolutions": (3, lambda n: tail(n, n.op("Add", head(n, 0), head(n, 1)))),
    "branch times a number": (
        3,
        lambda n: tail(
            n, n.op("Add", h := head(n), n.op("Mul", features(n, h), n.constant([0.1])))
        ),
    ),
    "mean of the tile": (
        2,
        lambda n: tail(
            n,
            n.conv(
                n.op("Sub", n.x, n.constant(random(1, 3, 1, 1) * 100)),
                random(CHANNELS, 3, 3, 3) / 100,
                random(CHANNELS),
            ),
        ),
    ),
    "integers": (4, lambda n: tail(n, integers(n, n.op("Relu", integers(n, head(n)))))),
    "integers, residual": (3, lambda n: tail(n, n.op("Add", integers(n, h := head(n)), h))),
    "integers, PReLU, factor": (
        4,
        lambda n: tail(n, integers(n, affine(n, prelu(n, integers(n, head(n)))), 4)),
    ),
}


def lowered(build: Build) -> LoweredNetwork:
    network = Network()
    model = network.model(build(network))
    return LoweredNetwork(4, model, model)


@pytest.mark.parametrize("name", EXPRESSIBLE)
def test_layers_compute_what_the_network_does(name: str) -> None:
    layers, build = EXPRESSIBLE[name]
    network = lowered(build)
    model = reference.read(pack([network], TILES).to_bytes())
    assert len(model.layers) == layers
    for tile in TILES:
        made = reference.execute(model, 4, tile, round_streams=False)
        image = oracle.output(network.model, tile.transpose(2, 0, 1)[None].astype(np.float32))
        pixels = np.clip(np.rint(image[0].transpose(1, 2, 0)), 0, 255)
        difference = np.abs(reference.as_picture(model, made) - pixels)
        assert (difference > 0).mean() < 0.01  # halves, and codes on a rounding boundary
        assert pixels.std() > 10


def test_a_requantization_is_left_out() -> None:
    """Behind the conv, where a LeakyReLU reads it."""

    def build(n: Network) -> ir.Value:
        rounded = n.quantized(integers(n, head(n)), 0.1, 128)
        return tail(n, n.op("LeakyRelu", rounded, alpha=0.1))

    values = translate(lowered(build)).model.values
    assert [value.kind.name for value in values] == ["PICTURE", "CODES", "STREAM", "PICTURE"]
    assert values[1].bits == (4,)


def test_a_value_is_a_stream_and_codes_if_it_is_read_as_both() -> None:
    translated = translate(lowered(lambda n: tail(n, n.op("Add", integers(n, h := head(n)), h))))
    first, second, _ = translated.model.layers
    assert (first.stream, first.codes) == (1, 2)
    assert (second.source, second.residual, second.factor) == (2, 1, 1.0)
    assert set(translated.streams) == {1, second.stream}


@pytest.mark.parametrize(
    ("zero_point", "top", "signed", "bits"),
    [(8, 15, True, 4), (0, 15, False, 4), (128, 255, True, 8), (0, 255, False, 8), (2, 3, True, 2)],
)
def test_codes_have_bits_and_signs(zero_point: int, top: int, signed: bool, bits: int) -> None:
    def build(n: Network) -> ir.Value:
        weight = n.integer_weight(random_codes(CHANNELS, CHANNELS, 3, 3), 1e-3)
        return tail(n, n.conv(n.quantized(head(n), 0.5, zero_point, top), weight, random(CHANNELS)))

    codes = translate(lowered(build)).model.values[1]
    assert (codes.signed, codes.bits, codes.steps) == (signed, (bits,), (0.5,))


def codes(n: Network, zero_point: int, top: int) -> ir.Value:
    weight = n.integer_weight(random_codes(CHANNELS, CHANNELS, 3, 3), 1e-3)
    return n.conv(n.quantized(head(n), 1, zero_point, top), weight, random(CHANNELS))


def in_two_ways(n: Network) -> ir.Value:
    features = head(n)
    weight = n.integer_weight(random_codes(CHANNELS, CHANNELS, 3, 3), 1e-3)
    parts = [n.conv(n.quantized(features, s, 8, 15), weight, random(CHANNELS)) for s in (1, 2)]
    return tail(n, n.op("Add", *parts))


REFUSED: dict[str, tuple[str, Build]] = {
    "operator": ("it uses Sigmoid", lambda n: tail(n, n.op("Sigmoid", head(n)))),
    "float clip": ("it uses Clip", lambda n: tail(n, n.op("Clip", head(n), n.constant(0)))),
    "zero point": ("codes up to 15 with a zero point of 7", lambda n: tail(n, codes(n, 7, 15))),
    "range": ("codes up to 14 with a zero point of 0", lambda n: tail(n, codes(n, 0, 14))),
    "two quantizations": ("one value is quantized in two ways", in_two_ways),
    "channels": (
        "a layer has 8 channels, not a multiple of 16",
        lambda n: n.conv(n.conv(n.x, random(8, 3, 3, 3), random(8)), random(3, 8, 3, 3), random(3)),
    ),
    "scale": (
        "no convolution makes a picture that is 2 to 4 times as large",
        lambda n: tail_without_shuffle(n, head(n)),
    ),
    "ReLU of a sum": (
        "Relu follows no convolution",
        lambda n: tail(n, n.op("Relu", n.op("Add", h := head(n), features(n, h)))),
    ),
    "two ReLUs": (
        "a ReLU follows a ReLU or a factor",
        lambda n: tail(n, n.op("Relu", n.op("LeakyRelu", head(n)))),
    ),
    "ReLU of a factor": (
        "a ReLU follows a ReLU or a factor",
        lambda n: tail(n, n.op("Relu", affine(n, head(n)))),
    ),
    "sum of streams": (
        "an addition follows no convolution",
        lambda n: tail(n, n.op("Add", h := head(n), n.op("Mul", h, n.constant([2.0])))),
    ),
    "sum with the tile": (
        "something other than a stream is added",
        lambda n: n.op("Add", n.x, n.conv(n.x, random(3, 3, 3, 3), random(3))),
    ),
    "product": ("it multiplies two values", lambda n: tail(n, n.op("Mul", h := head(n), h))),
    "order": (
        "a pixel shuffle follows no convolution",
        lambda n: n.op("DepthToSpace", features(n, head(n), 12), blocksize=2, mode="CRD"),
    ),
    "slopes": (
        "a PReLU computes its own slopes",
        lambda n: tail(n, n.op("PRelu", head(n), n.x)),
    ),
    "constant": (
        "is not one number per channel",
        lambda n: tail(n, n.op("Add", head(n), n.constant(random(1, 1, 1, 12)))),
    ),
    "tile times a number": (
        "a convolution reads what no convolution made",
        lambda n: tail(
            n, n.conv(n.op("Mul", n.x, n.constant([2.0])), random(CHANNELS, 3, 3, 3), random(16))
        ),
    ),
    "other offset": (
        "it subtracts from something other than the tile",
        lambda n: tail(n, n.op("Sub", head(n), n.constant([2.0]))),
    ),
    "codes in float": (
        "an operator in float reads quantized activations",
        lambda n: tail(n, n.op("Add", integers(n, head(n)), n.quantized(head(n), 1, 8, 15))),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_expressed_is_one_sentence(name: str) -> None:
    sentence, build = REFUSED[name]
    with pytest.raises(ExportError, match=f"{sentence}.*; choose --formats onnx,tflite"):
        translate(lowered(build))
