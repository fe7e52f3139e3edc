"""SRResNet as released with Granular-DQ, and as of SRGAN, quantized in its residual blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.blocks import upsampling_factors
from gdq_models.networks.shapes import Shapes, count_blocks, count_channels, find_gate, find_scale
from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.quantizers.convolution import QuantizedConv2d


class ResidualBlock(nn.Module):
    """``shortcut * x + norm2(conv2(norm1(act(norm0(conv1(x))))))``, both convolutions quantized.

    Of ``norm0`` and ``norm1`` one does nothing: as released the activation precedes the
    normalisation, in SRGAN it follows (``norm_first``).
    """

    def __init__(self, channels: int, *, norm_first: bool = False) -> None:
        super().__init__()
        self.conv1 = QuantizedConv2d(channels, channels, 3, bias=False)
        self.act = nn.PReLU()
        norm = nn.BatchNorm2d(channels)
        self.norm0 = norm if norm_first else nn.Identity()
        self.norm1 = nn.Identity() if norm_first else norm
        self.conv2 = QuantizedConv2d(channels, channels, 3, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, route: Tensor | None) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        activated: Tensor = self.norm1(self.act(self.norm0(self.conv1(x, route))))
        residual: Tensor = self.norm2(self.conv2(activated, route))
        return x * self.shortcut + residual


class UpsamplingStage(nn.Module):
    """Convolution, pixel shuffle, PReLU."""

    def __init__(self, channels: int, factor: int, *, bias: bool = False) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(channels, channels * factor**2, 3, padding=1, bias=bias)
        self.act = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H * factor, W * factor)."""
        shuffled: Tensor = self.act(F.pixel_shuffle(self.conv(x), self.factor))
        return shuffled


class SRResNet(SuperResolutionNetwork):
    """SRResNet: 9x9 head and tail; no convolution inside the body has a bias.

    Attributes:
        form: ``bias``, whether head, upsampler and tail have biases, and ``norm_first``, see
            ``ResidualBlock``. A network as released has neither.
        head: 3 -> C, 9x9, float; followed by ``head_act``, a PReLU.
        body: residual blocks, quantized.
        body_end: C -> C, float; followed by ``body_end_norm``; the activated head is added.
        up: upsampling stages, float.
        tail: C -> 3, 9x9, float.
    """

    name: ClassVar[str] = "srresnet"

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 64,
        blocks: int = 16,
        gate: PredictorKind = "linear",
        value_range: float = 255.0,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        bias: bool = False,
        norm_first: bool = False,
    ) -> None:
        super().__init__(
            scale=scale,
            channels=channels,
            blocks=blocks,
            gate=gate,
            value_range=value_range,
            mean=mean,
        )
        self.form = {"bias": bias, "norm_first": norm_first}
        self.head = nn.Conv2d(3, channels, 9, padding=4, bias=bias)
        self.head_act = nn.PReLU()
        self.body = nn.ModuleList(
            ResidualBlock(channels, norm_first=norm_first) for _ in range(blocks)
        )
        self.body_end = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.body_end_norm = nn.BatchNorm2d(channels)
        self.up = nn.ModuleList(
            UpsamplingStage(channels, factor, bias=bias) for factor in upsampling_factors(scale)
        )
        self.tail = nn.Conv2d(channels, 3, 9, padding=4, bias=bias)

    @staticmethod
    def detects(shapes: Shapes) -> bool:
        """Tell whether a state dict with these shapes belongs to an SRResNet, whole or partial."""
        return shapes.get("head.weight", ())[2:] == (9, 9)

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> SRResNet:
        """Build a network with the sizes of a state dict.

        Raises:
            CheckpointError: the sizes do not fit an SRResNet.
        """
        channels = count_channels(shapes, "head.weight")
        return cls(
            scale=find_scale(shapes, ("up.0.conv.weight", "up.1.conv.weight"), channels),
            channels=channels,
            blocks=count_blocks(shapes, r"body\.(\d+)\.conv1\.weight"),
            gate=find_gate(shapes),
            bias="head.bias" in shapes,
            norm_first="body.0.norm0.weight" in shapes,
        )

    def head_convolution(self) -> nn.Conv2d:
        """Return the first convolution."""
        return self.head

    def reconstruct(self, features: Tensor, image: Tensor, route: Tensor | None) -> Tensor:
        """Return the upscaled image from the head's output."""
        del image
        activated = self.head_act(features)
        x = activated
        for block in self.body:
            x = block(x, route)
        x = self.body_end_norm(self.body_end(x)) + activated
        for stage in self.up:
            x = stage(x)
        return self._restore(self.tail(x))
