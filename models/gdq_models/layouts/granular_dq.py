"""SRResNet as released with Granular-DQ: weights, steps and gate."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import torch
from torch import Tensor

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.errors import CheckpointError
from gdq_models.layouts.base import Layout, Source, State
from gdq_models.layouts.srresnet_names import (
    count_srresnet_blocks,
    has_names,
    read_weights,
)
from gdq_models.networks.shapes import Shapes

_GATE_WEIGHT = "encoder.gate.0.weight"
_QUANTILE = "encoder.second_divide_bit.fine_grain_ratito"
_QUANTIZER_OF_WIDTH = {4: "quant_act1", 6: "quant_act2", 8: "quant_act3", 5: "quant_act4"}


def _detects(shapes: Shapes) -> bool:
    return has_names(shapes) and any(key.startswith("encoder.") for key in shapes)


def _convert(source: Source) -> State:
    """Convert; the forward pass of the released code does not use what is dropped.

    It looks up its entropy table at quantiles rounded to one decimal; they are rounded here, so
    that the decisions are the same.
    """
    state = read_weights(source, first_norm="norm1", shortcut="learnable_shortcut")
    for block in range(count_srresnet_blocks(source)):
        for layer in (f"body.{block}.conv1", f"body.{block}.conv2"):
            state |= _convert_quantizers(source, layer)
    source.drop("channel_threshold", "act_q")
    state["predictor.gate.linear.weight"] = _reorder_gate(source[_GATE_WEIGHT])
    state["predictor.gate.linear.bias"] = source["encoder.gate.0.bias"]
    state["predictor.e2b.quantiles"] = torch.tensor(
        [_rounded_quantile(source.number(f"{_QUANTILE}{which}")) for which in (1, 2)],
        dtype=torch.float64,
    )
    return state


def _convert_quantizers(source: Source, layer: str) -> State:
    quantizers = [f"{layer}.{_QUANTIZER_OF_WIDTH[width]}" for width in BIT_WIDTHS]
    signs = {source.number(f"{quantizer}.signed") != 0 for quantizer in quantizers}
    if len(signs) != 1:
        raise CheckpointError(f"some quantizers of {layer!r} are signed and some are not")
    ready = [source.number(f"{quantizer}.init_state") != 0 for quantizer in quantizers]
    weight_ready = source.number(f"{layer}.init_state") != 0
    return {
        f"{layer}.act.steps": torch.tensor([source.number(f"{q}.alpha") for q in quantizers]),
        f"{layer}.act.signed": torch.tensor(signs.pop()),
        f"{layer}.act.initialised": torch.tensor(ready),
        f"{layer}.weight_quantizer.step": torch.tensor(source.number(f"{layer}.alpha")),
        f"{layer}.weight_quantizer.initialised": torch.tensor(weight_ready),
    }


def _reorder_gate(weight: Tensor) -> Tensor:
    """Reorder the columns from coarse, fine, median to fine, median, coarse."""
    if weight.dim() != 2 or weight.shape[1] % 3:
        raise CheckpointError(
            f"{_GATE_WEIGHT!r} has shape {tuple(weight.shape)}, not that of a linear layer over "
            "three granularities"
        )
    coarse, fine, median = weight.chunk(3, dim=1)
    return torch.cat([fine, median, coarse], dim=1)


def _rounded_quantile(value: float) -> float:
    """Round as the released ``round_to_nearest_half`` does: to one decimal, within [0.05, 1]."""
    if not 0 <= value <= 1:  # also refuses NaN
        raise CheckpointError(f"an entropy quantile must lie inside (0, 1), got {value}")
    rounded = Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return float(max(min(rounded, Decimal(1)), Decimal("0.05")))


GRANULAR_DQ = Layout("SRResNet as released with Granular-DQ", _detects, _convert)
