from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Network, operators, random
from gdq_exporter.ir.quantization import insert_behind
from gdq_exporter.passes.choose_steps import IMAGE_POINT
from gdq_exporter.targets.onnx.image_ends import add_image_ends

TILE = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 3), np.uint8)


def network(*, integer: bool) -> ir.Model:
    """x2 by a conv and a pixel shuffle, its values reaching beyond 0..255 at both ends."""
    builder = Network(3)
    conv = builder.conv(builder.x, random(12, 3, 3, 3), random(12) * 50)
    model = builder.model(builder.op("DepthToSpace", conv, blocksize=2))
    if integer:
        insert_behind(model, model.graph.outputs[0], IMAGE_POINT)
    return model


@pytest.mark.parametrize("integer", [True, False])
def test_pixels_are_the_output_rounded_half_to_even_and_saturated(integer: bool) -> None:
    """Whether the network already ends in codes or in real numbers."""
    model = network(integer=integer)
    image = oracle.output(model, TILE.transpose(0, 3, 1, 2).astype(np.float32))
    add_image_ends(model, 2)
    pixels = oracle.output(model, TILE)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, image.transpose(0, 2, 3, 1).round().clip(0, 255))
    counts = operators(model)
    assert (counts["Transpose"], counts["Cast"], counts["QuantizeLinear"]) == (2, 1, 1)
    assert "DequantizeLinear" not in counts


def test_names_types_and_shapes() -> None:
    model = network(integer=False)
    add_image_ends(model, 2)
    (tile,), (output,) = model.graph.inputs, model.graph.outputs
    assert (tile.name, output.name) == ("tile", "output")
    assert tile.dtype == output.dtype == ir.DataType.UINT8
    assert tile.shape == ir.Shape([1, "height", "width", 3])
    assert output.shape == ir.Shape([1, "2*height", "2*width", 3])


def test_halves_go_to_even() -> None:
    builder = Network(3)
    model = builder.model(builder.op("Mul", builder.x, builder.constant(0.5)))
    add_image_ends(model, 1)
    pixels = np.array([1, 3, 5], np.uint8).reshape(1, 1, 1, 3)
    np.testing.assert_array_equal(oracle.output(model, pixels).ravel(), [0, 2, 2])
