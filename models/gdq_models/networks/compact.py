"""Compact (SRVGGNetCompact of Real-ESRGAN), quantized in its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdq_models.errors import CheckpointError
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.blocks import SCALES, upsampling_factors
from gdq_models.networks.shapes import Shapes, count_blocks, count_channels, find_gate
from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.quantizers.convolution import QuantizedConv2d

_COLOURS = 3


class Block(nn.Module):
    """``act(conv(x))``, the convolution quantized; the activation has a slope per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = QuantizedConv2d(channels, channels, 3)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor, route: Tensor | None) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        activated: Tensor = self.act(self.conv(x, route))
        return activated


class Compact(SuperResolutionNetwork):
    """A chain of 3x3 convolutions and one pixel shuffle, added to the picture's own pixels.

    All convolutions have biases and work at low resolution; no block has a skip.

    Attributes:
        head: 3 -> C, float; followed by ``head_act``, a PReLU with a slope per channel.
        body: blocks, quantized.
        tail: C -> 3 * scale^2, float; the pixel shuffle of it is added to the picture, enlarged by
            repeating pixels.
    """

    name: ClassVar[str] = "compact"

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
        upsampling_factors(scale)  # refuses other scales
        super().__init__(
            scale=scale,
            channels=channels,
            blocks=blocks,
            gate=gate,
            value_range=value_range,
            mean=mean,
        )
        self.head = nn.Conv2d(_COLOURS, channels, 3, padding=1)
        self.head_act = nn.PReLU(channels)
        self.body = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.tail = nn.Conv2d(channels, _COLOURS * scale**2, 3, padding=1)
        # Repeating pixels is a 1x1 convolution before a pixel shuffle, which every target has.
        repeat = torch.eye(_COLOURS).repeat_interleave(scale**2, dim=0)[..., None, None]
        self.register_buffer("repeat", repeat, persistent=False)

    @staticmethod
    def detects(shapes: Shapes) -> bool:
        """Tell whether a state dict with these shapes belongs to a Compact, whole or partial."""
        return shapes.get("head.weight", ())[2:] == (3, 3) and "head_act.weight" in shapes

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> Compact:
        """Build a network with the sizes of a state dict.

        Raises:
            CheckpointError: the sizes do not fit a Compact.
        """
        return cls(
            scale=_find_scale(shapes),
            channels=count_channels(shapes, "head.weight"),
            blocks=count_blocks(shapes, r"body\.(\d+)\.conv\.weight"),
            gate=find_gate(shapes),
        )

    def head_convolution(self) -> nn.Conv2d:
        """Return the first convolution."""
        return self.head

    def reconstruct(self, features: Tensor, image: Tensor, route: Tensor | None) -> Tensor:
        """Return the upscaled image from the head's output and the image."""
        x = self.head_act(features)
        for block in self.body:
            x = block(x, route)
        details = self.tail(x)
        if self._divisor != 1:  # before the shuffle, where a factor can be folded in
            details = details * self._divisor
        assert isinstance(self.repeat, Tensor)
        enlarged = F.pixel_shuffle(F.conv2d(image, self.repeat), self.scale)
        return F.pixel_shuffle(details, self.scale) + enlarged


def _find_scale(shapes: Shapes) -> int:
    shape = shapes.get("tail.weight", ())
    for scale in SCALES:
        if shape[:1] == (_COLOURS * scale**2,):
            return scale
    raise CheckpointError(f"the last layer (key 'tail.weight') has none of the scales {SCALES}")
