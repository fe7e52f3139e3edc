"""Upsampler and tail as one small convolution, if there is nothing non-linear between them.

conv -> pixel shuffle -> ... -> conv is a linear map of the low-resolution features. Away from the
border it is one 5x5 convolution to the 3 scale^2 subpixels of a low-resolution pixel: at x2 an
eighth of the multiply-adds, so it can stay in float, and the high-resolution features, whose
8-bit codes would cost 0.05 dB, never exist. At the border the inner convs pad with zeros what the
merged one would compute, so the outermost ring of low-resolution pixels has kernels of its own:
``gdq::MergedTail`` has nine, and ``ExpandMergedTailPass`` takes it apart for targets that do not
know the operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, operators
from gdq_exporter.ir.forms import Layer

_RADIUS = 2
"""Of the merged kernel: 1 + 1/2 + 1/4 low-resolution pixels, rounded up."""
_PROBE = 2 * _RADIUS + 5
"""Side of the map that is probed: its middle is further from every border than the kernel."""
_PLACES = (0, _PROBE // 2, _PROBE - 1)
"""The first pixel, behind a border; one inside; and the last, before a border."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """A conv and the pixel shuffle behind it."""

    weight: torch.Tensor
    bias: torch.Tensor
    block: int
    """1 behind the last conv, where there is no shuffle."""
    mode: str


class MergeLinearTailPass(ir.passes.InPlacePass):
    """Replaces conv, DepthToSpace (once or more), conv at the network's end; exact everywhere.

    Takes dense 3x3 convolutions of stride 1 that keep the size; others end the linear tail.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Merge the tail if it is linear and its convs have that form."""
        found = _find(model)
        if found is None:
            return ir.passes.PassResult(model, False)
        features, stages = found
        output = model.graph.outputs[0]
        block = int(np.prod([stage.block for stage in stages]))
        kernels = [
            editing.add_constant(model, array, f"merged_tail.{name}")
            for name, array in zip(("weight", "bias"), _probe(stages), strict=True)
        ]
        subpixels = editing.insert(
            model, None, operators.MERGED_TAIL, [features, *kernels], domain=operators.DOMAIN
        )
        image = editing.insert(
            model, None, "DepthToSpace", [subpixels], {"blocksize": block, "mode": "DCR"}
        )
        editing.redirect(output, image)
        editing.drop_unused(model)
        return ir.passes.PassResult(model, True)

    def requires(self, model: ir.Model) -> None:
        """Batch norms are folded: one in the tail would hide that it is linear."""
        if any(editing.nodes_of(model, "BatchNormalization")):
            raise ir.passes.PreconditionError("a BatchNormalization is left")

    def ensures(self, model: ir.Model) -> None:
        """The end of the network is no longer linear, or is one layer."""
        if _find(model) is not None:
            raise ir.passes.PostconditionError("a linear tail is left")


def _find(model: ir.Model) -> tuple[ir.Value, list[_Stage]] | None:
    """Return the features that the linear tail reads and its stages, or None."""
    stages: list[_Stage] = []
    value, block, mode = model.graph.outputs[0], 1, "DCR"
    features = value
    while (layer := forms.read(value.producer())) is not None and _is_mergeable(layer):
        stages.insert(0, _stage(layer, block, mode))
        features = editing.input_of(layer.node, 0)
        shuffle = features.producer()
        if not editing.is_op(shuffle, "DepthToSpace") or not editing.sole_consumer(features):
            break
        assert shuffle is not None
        value = editing.input_of(shuffle, 0)
        if not editing.sole_consumer(value):
            break
        block = shuffle.attributes.get_int("blocksize", 1)
        mode = shuffle.attributes.get_string("mode", "DCR")
    return (features, stages) if len(stages) > 1 else None


def _is_mergeable(layer: Layer) -> bool:
    return layer.is_real and layer.form.is_plain and layer.form.kernel == (3, 3)


def _stage(layer: Layer, block: int, mode: str) -> _Stage:
    weight, bias = layer.real_weight, layer.constant_bias
    assert weight is not None
    assert bias is not None
    bias = np.broadcast_to(bias, layer.outputs)
    return _Stage(torch.tensor(weight).double(), torch.tensor(bias).double(), block, mode)


def _run(stages: list[_Stage], features: torch.Tensor) -> torch.Tensor:
    """Turn features (1, C, h, w) into subpixels (scale^2 * 3, h, w), float64."""
    x = features
    for stage in stages:
        x = F.conv2d(x, stage.weight, stage.bias, padding=1)
        x = _shuffle(x, stage.block, stage.mode)
    scale = x.shape[-1] // features.shape[-1]
    # DCR order, so that one DepthToSpace at the end makes the image.
    subpixels = F.pixel_unshuffle(x, scale).reshape(x.shape[1], scale * scale, *features.shape[2:])
    return subpixels.transpose(0, 1).reshape(-1, *features.shape[2:])


def _shuffle(x: torch.Tensor, block: int, mode: str) -> torch.Tensor:
    if mode == "DCR":
        n, c, h, w = x.shape
        x = x.reshape(n, block * block, c // block**2, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.pixel_shuffle(x, block)


def _probe(stages: list[_Stage]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read the map's kernels off its gradient at nine places of a small picture.

    Returns:
        Weights (9, O, C, 5, 5) and biases (9, O): of ``gdq::MergedTail``.
    """
    channels = stages[0].weight.shape[1]
    zero = torch.zeros(1, channels, _PROBE, _PROBE, dtype=torch.float64, requires_grad=True)
    response = _run(stages, zero)
    weights, biases = [], []
    for row, column in product(_PLACES, repeat=2):
        outputs = response[:, row, column]
        rows = [torch.autograd.grad(y, zero, retain_graph=True)[0][0] for y in outputs]
        padded = F.pad(torch.stack(rows), [_RADIUS] * 4)
        weights.append(
            padded[:, :, row : row + 2 * _RADIUS + 1, column : column + 2 * _RADIUS + 1].numpy()
        )
        biases.append(outputs.detach().numpy())
    return np.stack(weights), np.stack(biases)
