"""Sizes of a network, deduced from the shapes of its weights and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gdq_models.errors import CheckpointError
from gdq_models.networks.blocks import SCALES, upsampling_factors
from gdq_models.predictor.gate_kind import PredictorKind

Shapes = Mapping[str, tuple[int, ...]]
"""Key of a state dict -> shape."""

LARGEST_CHANNELS = 512
LARGEST_BLOCKS = 256


def count_channels(shapes: Shapes, head_key: str) -> int:
    """Returns the head's output channels.

    Raises:
        CheckpointError: the head is missing, is not a convolution of RGB, or is absurdly large.
    """
    shape = shapes.get(head_key)
    if shape is None:
        raise CheckpointError(f"the key {head_key!r} is missing")
    if len(shape) != 4 or shape[1] != 3:
        raise CheckpointError(f"{head_key!r} has shape {shape}, not that of an RGB convolution")
    if not 1 <= shape[0] <= LARGEST_CHANNELS:
        raise CheckpointError(f"{shape[0]} channels are out of range 1..{LARGEST_CHANNELS}")
    return shape[0]


def count_blocks(shapes: Shapes, pattern: str) -> int:
    """Returns how many blocks are numbered 0, 1, 2, ... without a gap.

    Args:
        shapes: shapes of a state dict.
        pattern: regular expression of a key that each block has, the number as its only group.

    Raises:
        CheckpointError: there is none, a number is left out, or there are absurdly many.
    """
    matches = (re.fullmatch(pattern, key) for key in shapes)
    # A number of more digits than any real one is left out, and found missing if it was meant.
    numbers = {int(match[1]) for match in matches if match and len(match[1]) < 6}
    if not numbers:
        raise CheckpointError("there is no residual block")
    if len(numbers) > LARGEST_BLOCKS:
        raise CheckpointError(f"{len(numbers)} blocks are more than {LARGEST_BLOCKS}")
    gaps = set(range(len(numbers))) - numbers
    if gaps:
        raise CheckpointError(f"block {min(gaps)} is missing")
    return len(numbers)


def find_scale(shapes: Shapes, up_keys: tuple[str, str], channels: int) -> int:
    """Returns the scale that the upsampler's convolutions reach.

    Args:
        shapes: shapes of a state dict.
        up_keys: keys of the first and of the (possibly absent) second convolution's weight.
        channels: features that go into them.

    Raises:
        CheckpointError: they are missing or reach none of 2, 3 and 4.
    """
    found = [shapes[key][0] for key in up_keys if len(shapes.get(key, ())) == 4]
    for scale in SCALES:
        if found == [channels * factor**2 for factor in upsampling_factors(scale)]:
            return scale
    raise CheckpointError(f"the upsampler (key {up_keys[0]!r}) is of no scale out of {SCALES}")


def find_gate(shapes: Shapes) -> PredictorKind:
    """Returns which gate the state dict holds; the linear one if it holds none."""
    if "predictor.weights" in shapes:
        return "statistics"
    return "group_norm" if "predictor.gate.norms.0.weight" in shapes else "linear"
