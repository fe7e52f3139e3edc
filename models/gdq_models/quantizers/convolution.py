"""The convolution whose activations have a bit-width chosen per tile."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdq_models.quantizers.activation import ActivationQuantizer
from gdq_models.quantizers.weight import WeightQuantizer


class QuantizedConv2d(nn.Conv2d):
    """A convolution with 8-bit weights and an input of 4, 5, 6 or 8 bits.

    Attributes:
        act: quantizer of the input.
        weight_quantizer: quantizer of the weights.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, bias: bool = True
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias
        )
        self.act = ActivationQuantizer()
        self.weight_quantizer = WeightQuantizer()

    # A convolution that needs a route is built like nn.Conv2d, but cannot stand in for it.
    def forward(self, x: Tensor, route: Tensor | None) -> Tensor:  # type: ignore[override]
        """Convolve: in float if ``route`` is None, otherwise quantized.

        Args:
            x: (N, C, H, W) input.
            route: (N, 4) weights over ``BIT_WIDTHS``, see ``ActivationQuantizer.forward``.
        """
        quantized_x: Tensor = self.act(x, route)
        weight: Tensor = self.weight
        if route is not None or torch.onnx.is_in_onnx_export():
            weight = self.weight_quantizer(weight)
        output: Tensor = self._conv_forward(quantized_x, weight, self.bias)
        return output
