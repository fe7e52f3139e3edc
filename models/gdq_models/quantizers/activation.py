"""Activations quantized with one learned step per bit-width."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.quantizers.blockwise import quantize_blockwise
from gdq_models.quantizers.rounding import round_half_even, scale_gradient

_SIGNED_BELOW = -1e-5
"""An activation with a value below this is signed (as released)."""


def integer_range(bit_width: int, *, signed: bool) -> tuple[int, int]:
    """Return the smallest and largest integer of a bit-width, e.g. (-8, 7) or (0, 15)."""
    if signed:
        return -(1 << (bit_width - 1)), (1 << (bit_width - 1)) - 1
    return 0, (1 << bit_width) - 1


class ActivationQuantizer(nn.Module):
    """Per-tensor fake quantization of an activation, at one of four bit-widths per sample.

    ``x^ = step_b * round(clamp(x / step_b, Qn, Qp))`` for the width b of each sample (LSQ, and
    QuantSR as released with Granular-DQ). Steps start from the first batch seen in training.

    Attributes:
        steps: (4,) real value of one integer unit, in the order of ``BIT_WIDTHS``.
        signed: scalar bool, whether the integers can be negative.
        initialised: (4,) bool, whether each step was learned or set.
    """

    steps: nn.Parameter
    signed: Tensor
    initialised: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.ones(len(BIT_WIDTHS)))
        self.register_buffer("signed", torch.tensor(False))
        self.register_buffer("initialised", torch.zeros(len(BIT_WIDTHS), dtype=torch.bool))
        # While a graph is traced, the value of a Python bool can be read, that of a tensor cannot.
        self._signed = False
        self.register_load_state_dict_post_hook(_remember_sign)  # type: ignore[no-untyped-call]

    @property
    def is_signed(self) -> bool:
        """Whether the integers can be negative."""
        return self._signed

    def set_steps(self, steps: Tensor | Sequence[float], *, signed: bool) -> None:
        """Set all four steps, in the order of ``BIT_WIDTHS``, and the sign.

        Raises:
            ValueError: a step is not a positive finite number, or there are not four steps.
        """
        values = torch.as_tensor(steps, dtype=self.steps.dtype, device=self.steps.device)
        if values.shape != self.steps.shape:
            raise ValueError(f"expected {len(BIT_WIDTHS)} steps, got shape {tuple(values.shape)}")
        if not bool((torch.isfinite(values) & (values > 0)).all()):
            raise ValueError(f"steps must be positive and finite, got {values.tolist()}")
        with torch.no_grad():
            self.steps.copy_(values)
            self.signed.fill_(signed)
            self.initialised.fill_(True)
        self._signed = signed

    def initialise(self, x: Tensor) -> None:
        """Set sign and steps from a batch of activations: ``2 * mean(|x|) / sqrt(Qp)``.

        The quantizer becomes signed if the smallest value is below -1e-5 (both as released).
        """
        x = x.detach()
        signed = bool(x.min() < _SIGNED_BELOW)
        # An activation that is zero throughout still needs a step to divide by.
        magnitude = max(float(x.abs().mean()), 1e-6)
        tops = [integer_range(width, signed=signed)[1] for width in BIT_WIDTHS]
        self.set_steps([2 * magnitude / math.sqrt(top) for top in tops], signed=signed)

    def forward(self, x: Tensor, route: Tensor | None) -> Tensor:
        """Quantize each sample at the width that its route names.

        While a network is exported to ONNX, the whole operation is one ``gdq::ActQuant`` that
        carries all four steps, whatever the route.

        Args:
            x: (N, ...) activation.
            route: (N, 4) weights over ``BIT_WIDTHS``. If it requires a gradient (gate training),
                the four quantized versions are mixed with these weights. If not, it must be
                one-hot, and only the chosen version is computed. None leaves ``x`` unchanged.

        Returns:
            shape and dtype of ``x``.

        Raises:
            RuntimeError: the steps were never initialised, in evaluation mode.
        """
        if torch.onnx.is_in_onnx_export():
            return self._symbol(x)
        if route is None:
            return x
        if not bool(self.initialised.all()):
            if not self.training:
                raise RuntimeError("the quantizer's steps were never initialised")
            self.initialise(x)
        if x.device.type == "cpu" and torch.is_grad_enabled():
            return quantize_blockwise(x, *self._learned_steps(x), route)
        if route.requires_grad:
            return self._mix(x, route)
        return self._choose(x, route.argmax(dim=1))

    def _symbol(self, x: Tensor) -> Tensor:
        return torch.onnx.ops.symbolic(
            "gdq::ActQuant",
            (x, self.steps),
            attrs={"signed": int(self._signed)},
            dtype=x.dtype,
            shape=x.shape,
            version=1,
        )

    def _learned_steps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return steps, smallest and largest integers, each (4,)."""
        ranges = [integer_range(width, signed=self._signed) for width in BIT_WIDTHS]
        low, high = torch.tensor(ranges, dtype=self.steps.dtype, device=x.device).unbind(dim=1)
        # LSQ, section 2.2: without it, a step's gradient grows with the number of values.
        return scale_gradient(self.steps, (x.numel() * high).rsqrt()), low, high

    def _choose(self, x: Tensor, index: Tensor) -> Tensor:
        per_sample = (-1,) + (1,) * (x.dim() - 1)
        step, low, high = (value[index].view(per_sample) for value in self._learned_steps(x))
        return round_half_even(torch.clamp(x / step, low, high)) * step

    def _mix(self, x: Tensor, route: Tensor) -> Tensor:
        per_sample = (-1,) + (1,) * (x.dim() - 1)
        mixed = torch.zeros_like(x)
        for share, step, low, high in zip(
            route.unbind(dim=1), *(value.unbind() for value in self._learned_steps(x)), strict=True
        ):
            quantized = round_half_even(torch.clamp(x / step, low, high)) * step
            mixed = mixed + share.view(per_sample) * quantized
        return mixed


def _remember_sign(module: nn.Module, _incompatible: object) -> None:
    assert isinstance(module, ActivationQuantizer)
    if not module.signed.is_meta:
        module._signed = bool(module.signed)
