"""Names that CADyQ gave to the layers of SRResNet, and Granular-DQ took over."""

from __future__ import annotations

import torch

from gdq_models.layouts.base import Source, State, image_values
from gdq_models.networks.shapes import Shapes


def has_names(shapes: Shapes) -> bool:
    """Tell whether a state dict uses these names."""
    return "head.0.weight" in shapes and "body.0.conv1.weight" in shapes


def count_srresnet_blocks(source: Source) -> int:
    """Return the number of blocks; the body's last two entries are not blocks."""
    return source.count("body.{}.conv1.weight")


def read_weights(source: Source, *, first_norm: str, shortcut: str | None) -> State:
    """Return all that a network without quantizers has.

    Args:
        source: a state dict with these names; pixels are 0..255, without a mean.
        first_norm: our name of a block's first norm, ``norm0`` or ``norm1``.
        shortcut: their name of a block's factor of what it adds to; None if there is no factor.
    """
    blocks = count_srresnet_blocks(source)
    norms = {f"body.{blocks + 1}": "body_end_norm"}
    layers = {
        "head.0": "head",
        "head.1": "head_act",
        "tail.1": "tail",
        f"body.{blocks}": "body_end",
    }
    state: State = {}
    for block in (f"body.{number}" for number in range(blocks)):
        norms |= {f"{block}.bn1": f"{block}.{first_norm}", f"{block}.bn2": f"{block}.norm2"}
        layers |= {f"{block}.{name}": f"{block}.{name}" for name in ("conv1", "act", "conv2")}
        factor = torch.ones(1) if shortcut is None else source[f"{block}.{shortcut}"]
        state[f"{block}.shortcut"] = factor
    for stage in range(source.count("tail.0.{}.weight", apart=3)):
        layers |= {f"tail.0.{3 * stage}": f"up.{stage}.conv"}
        layers |= {f"tail.0.{3 * stage + 2}": f"up.{stage}.act"}
    # Neither project's forward pass shifts the mean, though both build the layers for it.
    source.drop("sub_mean", "add_mean")
    return state | source.layers(layers, bias=False) | source.norms(norms) | image_values(255.0)
