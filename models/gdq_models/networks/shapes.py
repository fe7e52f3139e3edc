"""Sizes of a network, deduced from the shapes of its weights and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gdq_models.errors import CheckpointError
from gdq_models.networks.blocks import SCALES, upsampling_factors
from gdq_models.predictor.gate_kind import PredictorKind

Shapes = Mapping[str, tuple[int, ...]]
"""From the keys of a state dict to the shapes of its tensors."""

LARGEST_CHANNELS = 512
LARGEST_BLOCKS = 256


def count_channels(shapes: Shapes, head_key: str) -> int:
    """Return the number of the head's output channels.

    Raises:
        CheckpointError: the head is missing, is not a convolution of RGB, or is too large.
    """
    shape = shapes.get(head_key)
    if shape is None:
        raise CheckpointError(f"the key {head_key!r} is missing")
    if len(shape) != 4 or shape[1] != 3:
        raise CheckpointError(f"{head_key!r} has shape {shape}, not that of an RGB convolution")
    if not 1 <= shape[0] <= LARGEST_CHANNELS:
        raise CheckpointError(f"{shape[0]} channels are outside the range 1..{LARGEST_CHANNELS}")
    return shape[0]


def count_blocks(shapes: Shapes, pattern: str) -> int:
    """Return the number of blocks, which must be numbered 0, 1, 2, ... without a gap.

    Args:
        shapes: shapes of a state dict.
        pattern: regular expression for a key that every block has; its only group is the number.

    Raises:
        CheckpointError: there is no block, a number is missing, or there are too many.
    """
    matches = (re.fullmatch(pattern, key) for key in shapes)
    # A number with more digits than any real one is ignored, and the gap it leaves is reported.
    numbers = {int(match[1]) for match in matches if match and len(match[1]) < 6}
    if not numbers:
        raise CheckpointError("there is no residual block")
    if len(numbers) > LARGEST_BLOCKS:
        raise CheckpointError(f"{len(numbers)} blocks are too many: at most {LARGEST_BLOCKS}")
    gaps = set(range(len(numbers))) - numbers
    if gaps:
        raise CheckpointError(f"block {min(gaps)} is missing")
    return len(numbers)


def find_scale(shapes: Shapes, up_keys: tuple[str, str], channels: int) -> int:
    """Return the scale that the upsampler's convolutions make up.

    Args:
        shapes: shapes of a state dict.
        up_keys: keys of the weights of the first and the (possibly absent) second convolution.
        channels: number of their input channels.

    Raises:
        CheckpointError: they are missing, or make up none of the scales 2, 3 and 4.
    """
    found = [shapes[key][0] for key in up_keys if len(shapes.get(key, ())) == 4]
    for scale in SCALES:
        if found == [channels * factor**2 for factor in upsampling_factors(scale)]:
            return scale
    raise CheckpointError(f"the upsampler (key {up_keys[0]!r}) has none of the scales {SCALES}")


def find_gate(shapes: Shapes) -> PredictorKind:
    """Return the kind of predictor that a state dict holds; ``linear`` if it holds none."""
    if "predictor.weights" in shapes:
        return "statistics"
    return "group_norm" if "predictor.gate.norms.0.weight" in shapes else "linear"
