"""From the checkpoint layout of the released code (SRResNet only) to our state dict."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import torch
from torch import Tensor

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.errors import CheckpointError
from gdq_models.networks.shapes import LARGEST_BLOCKS

_GATE_WEIGHT = "encoder.gate.0.weight"
_QUANTILE = "encoder.second_divide_bit.fine_grain_ratito"
_QUANTIZER_OF_WIDTH = {4: "quant_act1", 6: "quant_act2", 8: "quant_act3", 5: "quant_act4"}

_FIXED_KEYS = {
    "encoder.gate.0.bias": "predictor.gate.linear.bias",
    "head.0.weight": "head.weight",
    "head.1.weight": "head_act.weight",
    "tail.0.0.weight": "up.0.conv.weight",
    "tail.0.2.weight": "up.0.act.weight",
    "tail.0.3.weight": "up.1.conv.weight",
    "tail.0.5.weight": "up.1.act.weight",
    "tail.1.weight": "tail.weight",
}

_ONLY_X4 = ("tail.0.3.weight", "tail.0.5.weight")

_BLOCK_KEYS = (
    ("learnable_shortcut", "shortcut"),
    ("act.weight", "act.weight"),
    ("conv1.weight", "conv1.weight"),
    ("conv2.weight", "conv2.weight"),
    *(
        (f"bn{number}.{part}", f"norm{number}.{part}")
        for number in (1, 2)
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ),
)


def is_released(state: Mapping[str, Tensor]) -> bool:
    """Tell whether a state dict has the released layout."""
    return "head.0.weight" in state and "body.0.conv1.weight" in state


def from_released(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert a released state dict to ours.

    ``sub_mean``, ``add_mean``, ``channel_threshold`` and ``act_q`` are dropped, since the released
    forward pass does not use them. The released code looks up its entropy table at quantiles
    rounded to one decimal; they are rounded here, so that the decisions are the same.

    Raises:
        CheckpointError: a key is missing, a value has an unexpected shape, or the quantizers of a
            layer disagree.
    """
    source = _Source(state)
    converted = {
        ours: source[theirs]
        for theirs, ours in _FIXED_KEYS.items()
        if theirs in state or theirs not in _ONLY_X4
    }
    blocks = _count_blocks(state)
    for number in range(blocks):
        converted |= _convert_block(source, f"body.{number}")
    converted["body_end.weight"] = source[f"body.{blocks}.weight"]
    for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        converted[f"body_end_norm.{part}"] = source[f"body.{blocks + 1}.{part}"]
    converted["predictor.gate.linear.weight"] = _reorder_gate(source[_GATE_WEIGHT])
    converted["predictor.e2b.quantiles"] = torch.tensor(
        [_rounded_quantile(source.number(f"{_QUANTILE}{which}")) for which in (1, 2)],
        dtype=torch.float64,
    )
    return converted | {"value_range": torch.tensor(255.0), "mean": torch.zeros(3)}


class _Source:
    """A state dict that names the key it lacks."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._state = state

    def __getitem__(self, key: str) -> Tensor:
        if key not in self._state:
            raise CheckpointError(f"the key {key!r} is missing")
        return self._state[key]

    def number(self, key: str) -> float:
        """Return the only value of a tensor of any shape."""
        tensor = self[key]
        if tensor.numel() != 1:
            raise CheckpointError(
                f"{key!r} should hold one number, but has shape {tuple(tensor.shape)}"
            )
        return float(tensor.double())


def _count_blocks(state: Mapping[str, Tensor]) -> int:
    """Count blocks from 0 until one is missing; the body's last two entries are not blocks."""
    for number in range(LARGEST_BLOCKS):
        if f"body.{number}.conv1.weight" not in state:
            return number
    raise CheckpointError(f"there are more than {LARGEST_BLOCKS} blocks")


def _convert_block(source: _Source, block: str) -> dict[str, Tensor]:
    converted = {f"{block}.{ours}": source[f"{block}.{theirs}"] for theirs, ours in _BLOCK_KEYS}
    for layer in (f"{block}.conv1", f"{block}.conv2"):
        converted |= _convert_quantizers(source, layer)
    return converted


def _convert_quantizers(source: _Source, layer: str) -> dict[str, Tensor]:
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
