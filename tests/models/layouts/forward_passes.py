"""The forward passes of other projects' networks in float, from their state dicts.

Written after their sources, in torch's functions only; images are RGB, 0..255 on both sides.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def _conv(x: Tensor, state: State, name: str) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state.get(f"{name}.bias"), padding=weight.shape[-1] // 2)


def _norm(x: Tensor, state: State, name: str) -> Tensor:
    mean, variance, weight, bias = (
        state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, weight, bias)


def _bend(x: Tensor, state: State, name: str) -> Tensor:
    return F.prelu(x, state[f"{name}.weight"])


def edsr_pytorch(image: Tensor, state: State, factors: tuple[int, ...]) -> Tensor:
    """``src/model/edsr.py`` of EDSR-PyTorch, whose images are 0..255 or 0..1 as it was trained."""
    divisor = 1 if float(state["add_mean.bias"].max()) > 1 else 255
    x = head = _conv(_conv(image / divisor, state, "sub_mean"), state, "head.0")
    scale = 0.1 if head.shape[1] == 256 else 1  # --res_scale of demo.sh
    block = 0
    while f"body.{block}.body.0.weight" in state:
        inner = _conv(x, state, f"body.{block}.body.0").relu()
        x = x + _conv(inner, state, f"body.{block}.body.2") * scale
        block += 1
    x = _conv(x, state, f"body.{block}") + head
    for stage, factor in enumerate(factors):
        x = F.pixel_shuffle(_conv(x, state, f"tail.0.{2 * stage}"), factor)
    return _conv(_conv(x, state, "tail.1"), state, "add_mean") * divisor


def basicsr_edsr(image: Tensor, state: State, factors: tuple[int, ...]) -> Tensor:
    """``basicsr/archs/edsr_arch.py``: 0..1 outside, 0..255 inside."""
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
    x = head = _conv((image / 255 - mean) * 255, state, "conv_first")
    scale = 0.1 if head.shape[1] == 256 else 1  # res_scale of options/train/EDSR/train_EDSR_L*
    block = 0
    while f"body.{block}.conv1.weight" in state:
        inner = _conv(x, state, f"body.{block}.conv1").relu()
        x = x + _conv(inner, state, f"body.{block}.conv2") * scale
        block += 1
    x = _conv(x, state, "conv_after_body") + head
    for stage, factor in enumerate(factors):
        x = F.pixel_shuffle(_conv(x, state, f"upsample.{2 * stage}"), factor)
    return (_conv(x, state, "conv_last") / 255 + mean) * 255


def srvgg(image: Tensor, state: State, factors: tuple[int, ...]) -> Tensor:
    """``basicsr/archs/srvgg_arch.py``: 0..1; the skip is the nearest pixel."""
    x, layer, scale = image / 255, 0, math.prod(factors)
    while f"body.{layer + 1}.weight" in state:
        x = _bend(_conv(x, state, f"body.{layer}"), state, f"body.{layer + 1}")
        layer += 2
    details = F.pixel_shuffle(_conv(x, state, f"body.{layer}"), scale)
    return (details + F.interpolate(image / 255, scale_factor=float(scale), mode="nearest")) * 255


def cadyq_srresnet(image: Tensor, state: State, factors: tuple[int, ...]) -> Tensor:
    """``model/srresnet.py`` of CADyQ, whose forward pass leaves out the mean shifts."""
    x = head = _bend(_conv(image, state, "head.0"), state, "head.1")
    block = 0
    while f"body.{block}.conv1.weight" in state:
        name = f"body.{block}"
        inner = _norm(_conv(x, state, f"{name}.conv1"), state, f"{name}.bn1")
        inner = _conv(_bend(inner, state, f"{name}.act"), state, f"{name}.conv2")
        x = x + _norm(inner, state, f"{name}.bn2")
        block += 1
    x = _norm(_conv(x, state, f"body.{block}"), state, f"body.{block + 1}") + head
    for stage, factor in enumerate(factors):
        x = F.pixel_shuffle(_conv(x, state, f"tail.0.{3 * stage}"), factor)
        x = _bend(x, state, f"tail.0.{3 * stage + 2}")
    return _conv(x, state, "tail.1")


def srgan_pytorch(image: Tensor, state: State, factors: tuple[int, ...]) -> Tensor:
    """``model.py`` of SRGAN-PyTorch: 0..1, without the clamp at the end."""
    conv = "conv" if "conv3.weight" in state else "conv_block"
    x = head = _bend(_conv(image / 255, state, f"{conv}1.0"), state, f"{conv}1.1")
    block = 0
    while f"trunk.{block}.rcb.0.weight" in state:
        name = f"trunk.{block}.rcb"
        inner = _norm(_conv(x, state, f"{name}.0"), state, f"{name}.1")
        inner = _conv(_bend(inner, state, f"{name}.2"), state, f"{name}.3")
        x = x + _norm(inner, state, f"{name}.4")
        block += 1
    x = _norm(_conv(x, state, f"{conv}2.0"), state, f"{conv}2.1") + head
    for stage, factor in enumerate(factors):
        name = f"upsampling.{stage}.upsample_block"
        x = _bend(F.pixel_shuffle(_conv(x, state, f"{name}.0"), factor), state, f"{name}.2")
    return _conv(x, state, f"{conv}3") * 255
