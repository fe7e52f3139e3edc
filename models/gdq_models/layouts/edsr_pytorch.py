"""EDSR of EDSR-PyTorch (sanghyun-son), and of what descends from it: PAMS, CADyQ, DAQ, AdaBM."""

from __future__ import annotations

import torch
from torch import Tensor

from gdq_models.errors import CheckpointError
from gdq_models.layouts.base import DIV2K_MEAN, Layout, Source, State, image_values
from gdq_models.layouts.residual_scale import fold_residual_scale
from gdq_models.networks.shapes import Shapes


def _detects(shapes: Shapes) -> bool:
    is_head = shapes.get("head.0.weight", ())[2:] == (3, 3)
    # RCAN has the same names one level deeper, as a group of blocks.
    return is_head and len(shapes.get("body.0.body.0.weight", ())) == 4


def _names(blocks: int, stages: int) -> dict[str, str]:
    table = {"head.0": "head", f"body.{blocks}": "body_end", "tail.1": "tail"}
    for block in range(blocks):
        table |= {f"body.{block}.body.{2 * i}": f"body.{block}.conv{i + 1}" for i in (0, 1)}
    return table | {f"tail.0.{2 * stage}": f"up.{stage}" for stage in range(stages)}


def _convert(source: Source) -> State:
    blocks = source.count("body.{}.body.0.weight")
    stages = source.count("tail.0.{}.weight", apart=2)
    state = source.layers(_names(blocks, stages))
    fold_residual_scale(state, blocks)
    subtracted = -_shift(source, "sub_mean", sign=-1)
    # What is not added back again, which is nothing in any known file, belongs to the tail.
    state["tail.bias"] = state["tail.bias"] + _shift(source, "add_mean", sign=1) - subtracted
    # Nothing states the range; no mean of 0..1 is above 1, and no mean of 0..255 below.
    value_range = 1.0 if 0 < float(subtracted.abs().max()) <= 1 else 255.0
    red, green, blue = (subtracted.double() * (255 / value_range)).tolist()
    return state | image_values(value_range, (red, green, blue))


def _shift(source: Source, name: str, *, sign: int) -> Tensor:
    """Return the (3,) that a 1x1 convolution adds; without one, what EDSR-PyTorch adds."""
    if f"{name}.weight" not in source:
        return torch.tensor([sign * 255 * value for value in DIV2K_MEAN])
    weight, bias = source[f"{name}.weight"], source[f"{name}.bias"]
    if weight.shape != (3, 3, 1, 1) or not torch.equal(weight.view(3, 3), torch.eye(3)):
        raise CheckpointError(f"{name!r} does more than add a colour, which is not supported")
    if bias.shape != (3,):
        raise CheckpointError(f"'{name}.bias' has shape {tuple(bias.shape)}, expected (3,)")
    return bias


EDSR_PYTORCH = Layout("EDSR of EDSR-PyTorch", _detects, _convert)
