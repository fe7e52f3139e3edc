from __future__ import annotations

import numpy as np
import onnx_ir as ir
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import oracle
from exporter.networks import Network, operators, random
from gdq_exporter.passes.expand_merged_tail import ExpandMergedTailPass

CHANNELS, SUBPIXELS = 4, 12
SIDES = st.integers(4, 12)


def merged(network: Network, x: ir.Value, *, outside: float = 0) -> ir.Model:
    """A merged tail; its kernels outside the picture, which meet nothing, hold ``outside``."""
    weight = random(9, SUBPIXELS, CHANNELS, 5, 5).astype(np.float64)
    for place in range(9):
        row, column = divmod(place, 3)
        weight[place, :, :, _beyond(row)] = outside
        weight[place, :, :, :, _beyond(column)] = outside
    bias = random(9, SUBPIXELS, seed=1).astype(np.float64)
    kernels = [network.constant(array, np.float64) for array in (weight, bias)]
    subpixels = network.op("MergedTail", x, *kernels, domain="gdq")
    return network.model(network.op("DepthToSpace", subpixels, blocksize=2, mode="DCR"))


def _beyond(place: int) -> slice:
    """The part of a 5x5 kernel that lies outside the picture."""
    return {0: slice(0, 2), 1: slice(0, 0), 2: slice(3, 5)}[place]


@settings(max_examples=15)
@given(height=SIDES, width=SIDES)
def test_every_pixel_has_the_kernel_of_its_place(height: int, width: int) -> None:
    model = merged(network := Network(CHANNELS), network.x)
    x = random(1, CHANNELS, height, width, seed=height * 100 + width)
    before = oracle.output(model, x)
    assert ExpandMergedTailPass()(model).modified
    after = oracle.output(model, x)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


def test_leaves_small_convs() -> None:
    """One inside, one per edge and corner; none makes more than the image's subpixels."""
    network = Network(CHANNELS)
    model = merged(network, network.op("Relu", network.x))
    ExpandMergedTailPass()(model)
    counts = operators(model)
    assert (counts["Relu"], counts["Conv"], counts["DepthToSpace"]) == (1, 9, 1)
    kernels = [node.inputs[1] for node in model.graph if node.op_type == "Conv"]
    shapes = [kernel.shape.numpy() for kernel in kernels if kernel and kernel.shape]
    assert len(shapes) == len(kernels)
    assert {shape[:2] for shape in shapes} == {(SUBPIXELS, CHANNELS)}
    assert max(shape[2:] for shape in shapes) == (5, 5)
    assert model.graph.outputs[0].name == "output"


def test_what_lies_outside_the_picture_is_not_read() -> None:
    """Probing leaves zeros there; the corrections leave it out."""
    x = random(1, CHANNELS, 5, 4)
    results = []
    for outside in (0.0, 9.0):
        model = merged(network := Network(CHANNELS), network.x, outside=outside)
        ExpandMergedTailPass()(model)
        results.append(oracle.output(model, x))
    first, second = results
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-4)
