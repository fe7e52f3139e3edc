"""Weights quantized to eight bits with one learned step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gdq_models.quantizers.rounding import round_half_even, scale_gradient

WEIGHT_RANGE = (-128, 127)
"""Smallest and largest integer of a weight."""


class WeightQuantizer(nn.Module):
    """Per-tensor fake quantization of a weight: ``step * round(clamp(w / step, -128, 127))``.

    Attributes:
        step: scalar, real value of one integer unit.
        initialised: scalar bool, whether the step has been learned or set.
    """

    step: nn.Parameter
    initialised: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("initialised", torch.tensor(False))

    def set_step(self, step: float) -> None:
        """Set the step.

        Raises:
            ValueError: the step is not a positive finite number.
        """
        if not (math.isfinite(step) and step > 0):
            raise ValueError(f"the step must be positive and finite, got {step}")
        with torch.no_grad():
            self.step.fill_(step)
            self.initialised.fill_(True)

    def initialise(self, weight: Tensor) -> None:
        """Set the step from the weight: ``2 * max(|w|) / sqrt(127)`` (as released)."""
        peak = max(float(weight.detach().abs().max()), 1e-6)
        self.set_step(2 * peak / math.sqrt(WEIGHT_RANGE[1]))

    def forward(self, weight: Tensor) -> Tensor:
        """Quantize the weight; in an export to ONNX, record one ``gdq::WeightQuant`` instead.

        Raises:
            RuntimeError: the step was never initialised, in evaluation mode.
        """
        if torch.onnx.is_in_onnx_export():
            return torch.onnx.ops.symbolic(
                "gdq::WeightQuant",
                (weight, self.step),
                dtype=weight.dtype,
                shape=weight.shape,
                version=1,
            )
        if not bool(self.initialised):
            if not self.training:
                raise RuntimeError("the quantizer's step was never initialised")
            self.initialise(weight)
        factor = self.step.new_tensor(1 / math.sqrt(weight.numel() * WEIGHT_RANGE[1]))
        step = scale_gradient(self.step, factor)
        return round_half_even(torch.clamp(weight / step, *WEIGHT_RANGE)) * step

    def integers(self, weight: Tensor) -> Tensor:
        """Return the int8 tensor that, times ``step``, is exactly what ``forward`` returns."""
        with torch.no_grad():
            scaled = torch.clamp(weight / self.step, *WEIGHT_RANGE)
            return torch.round(scaled).to(torch.int8)
