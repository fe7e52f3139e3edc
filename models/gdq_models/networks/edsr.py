"""EDSR-baseline (Lim et al., CVPR Workshops 2017), quantized in its residual blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.blocks import upsampling_factors
from gdq_models.networks.shapes import Shapes, count_blocks, count_channels, find_gate, find_scale
from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.quantizers.convolution import QuantizedConv2d


class ResidualBlock(nn.Module):
    """``x + conv2(relu(conv1(x)))`` with both convolutions quantized."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = QuantizedConv2d(channels, channels, 3)
        self.conv2 = QuantizedConv2d(channels, channels, 3)

    def forward(self, x: Tensor, route: Tensor | None) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        residual: Tensor = self.conv2(F.relu(self.conv1(x, route)), route)
        return x + residual


class EDSR(SuperResolutionNetwork):
    """EDSR-baseline: 3x3 convolutions with bias; one pixel shuffle (x2, x3) or two (x4).

    Attributes:
        head: 3 -> C, float.
        body: residual blocks, quantized.
        body_end: C -> C, float; the head's output is added to it.
        up: C -> C * f^2 per pixel shuffle, float.
        tail: C -> 3, float.
    """

    name: ClassVar[str] = "edsr"

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 64,
        blocks: int = 16,
        gate: PredictorKind = "linear",
        value_range: float = 1.0,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> None:
        super().__init__(
            scale=scale,
            channels=channels,
            blocks=blocks,
            gate=gate,
            value_range=value_range,
            mean=mean,
        )
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))
        self.body_end = nn.Conv2d(channels, channels, 3, padding=1)
        self.factors = upsampling_factors(scale)
        self.up = nn.ModuleList(
            nn.Conv2d(channels, channels * factor**2, 3, padding=1) for factor in self.factors
        )
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)

    @staticmethod
    def detects(shapes: Shapes) -> bool:
        """Tell whether a state dict with these shapes belongs to an EDSR, whole or partial."""
        return shapes.get("head.weight", ())[2:] == (3, 3) and "head_act.weight" not in shapes

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> EDSR:
        """Build a network with the sizes of a state dict.

        Raises:
            CheckpointError: the sizes do not fit an EDSR.
        """
        channels = count_channels(shapes, "head.weight")
        return cls(
            scale=find_scale(shapes, ("up.0.weight", "up.1.weight"), channels),
            channels=channels,
            blocks=count_blocks(shapes, r"body\.(\d+)\.conv1\.weight"),
            gate=find_gate(shapes),
        )

    def head_convolution(self) -> nn.Conv2d:
        """Return the first convolution."""
        return self.head

    def reconstruct(self, features: Tensor, image: Tensor, route: Tensor | None) -> Tensor:
        """Return the upscaled image from the head's output."""
        del image
        x = features
        for block in self.body:
            x = block(x, route)
        x = self.body_end(x) + features
        for convolution, factor in zip(self.up, self.factors, strict=True):
            x = F.pixel_shuffle(convolution(x), factor)
        return self._restore(self.tail(x))
