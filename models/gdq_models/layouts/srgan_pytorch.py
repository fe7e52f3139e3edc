"""SRResNet of SRGAN-PyTorch (Lornatang): the generator of SRGAN, without its last clamp."""

from __future__ import annotations

import torch

from gdq_models.layouts.base import Layout, Source, State, image_values
from gdq_models.networks.shapes import Shapes


def _detects(shapes: Shapes) -> bool:
    return "trunk.0.rcb.0.weight" in shapes


def _convert(source: Source) -> State:
    # Releases of early 2022 say conv_block1, all others conv1.
    conv = "conv_block" if "conv_block1.0.weight" in source else "conv"
    biased = {f"{conv}1.0": "head", f"{conv}3": "tail"}
    plain = {f"{conv}1.1": "head_act", f"{conv}2.0": "body_end"}
    norms = {f"{conv}2.1": "body_end_norm"}
    state: State = {}
    for block in range(source.count("trunk.{}.rcb.0.weight")):
        theirs, ours = f"trunk.{block}.rcb", f"body.{block}"
        norms |= {f"{theirs}.1": f"{ours}.norm0", f"{theirs}.4": f"{ours}.norm2"}
        plain |= {f"{theirs}.0": f"{ours}.conv1", f"{theirs}.3": f"{ours}.conv2"}
        plain |= {f"{theirs}.2": f"{ours}.act"}
        state[f"{ours}.shortcut"] = torch.ones(1)
    for stage in range(source.count("upsampling.{}.upsample_block.0.weight")):
        theirs = f"upsampling.{stage}.upsample_block"
        biased |= {f"{theirs}.0": f"up.{stage}.conv"}
        plain |= {f"{theirs}.2": f"up.{stage}.act"}
    state |= source.layers(biased) | source.layers(plain, bias=False) | source.norms(norms)
    return state | image_values(1.0)


SRGAN_PYTORCH = Layout("SRResNet of SRGAN-PyTorch", _detects, _convert)
