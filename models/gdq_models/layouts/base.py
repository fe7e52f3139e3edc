"""What a layout of another project is, and the state dict that one is read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gdq_models.errors import CheckpointError
from gdq_models.networks.shapes import LARGEST_BLOCKS, Shapes

State = dict[str, Tensor]

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""RGB mean of DIV2K's photos, 0..1, which EDSR subtracts (EDSR-PyTorch, BasicSR)."""

_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Layout:
    """How a project names and scales the weights of one of our networks.

    Attributes:
        title: network and project, for people.
        detects: tells whether a state dict with these shapes has the layout, whole or partial.
        convert: returns the network's state dict in our layout. Every key that it does not read,
            and does not drop, is refused: it would be a part of another network.
    """

    title: str
    detects: Callable[[Shapes], bool]
    convert: Callable[[Source], State]

    def read(self, state: Mapping[str, Tensor]) -> State:
        """Return a state dict of this layout in ours.

        Raises:
            CheckpointError: a key is missing or unknown, or a value does not fit.
        """
        source = Source(state)
        converted = self.convert(source)
        if unknown := source.first_unread():
            raise CheckpointError(f"{unknown!r} is no key of {self.title}")
        return converted


class Source:
    """A state dict that names the key it lacks, and knows which keys were read."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._state = state
        self._read: set[str] = set()

    def __getitem__(self, key: str) -> Tensor:
        """Return a tensor; of less than single precision, as float32."""
        if key not in self._state:
            raise CheckpointError(f"the key {key!r} is missing")
        self._read.add(key)
        tensor = self._state[key]
        return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor

    def __contains__(self, key: str) -> bool:
        return key in self._state

    def number(self, key: str) -> float:
        """Return the only value of a tensor of any shape."""
        tensor = self[key]
        if tensor.numel() != 1:
            raise CheckpointError(
                f"{key!r} should hold one number, but has shape {tuple(tensor.shape)}"
            )
        return float(tensor.double())

    def count(self, key: str, *, start: int = 0, apart: int = 1) -> int:
        """Return how many of ``key`` there are, with ``start``, ``start + apart`` ... in it.

        Without any it is one, so that it is the first that will be reported as missing.
        """
        for number in range(LARGEST_BLOCKS + 1):
            if key.format(start + number * apart) not in self._state:
                return max(number, 1)
        raise CheckpointError(f"there are more than {LARGEST_BLOCKS} blocks")

    def layers(self, table: Mapping[str, str], *, bias: bool = True) -> State:
        """Return weights and biases of layers, from their names there to their names here."""
        parts = ("weight", "bias") if bias else ("weight",)
        return {
            f"{ours}.{part}": self[f"{theirs}.{part}"]
            for theirs, ours in table.items()
            for part in parts
        }

    def norms(self, table: Mapping[str, str]) -> State:
        """Return everything of batch norms; files of old versions of torch have no count."""
        state: State = {}
        for theirs, ours in table.items():
            state |= {f"{ours}.{part}": self[f"{theirs}.{part}"] for part in _NORM_PARTS}
            count = f"{theirs}.num_batches_tracked"
            counted = self[count] if count in self else torch.tensor(0)
            state[f"{ours}.num_batches_tracked"] = counted
        return state

    def drop(self, *parts: str) -> None:
        """Leave out all keys that have one of these between their dots: they change nothing."""
        self._read |= {key for key in self._state if set(key.split(".")) & set(parts)}

    def first_unread(self) -> str | None:
        """Return the first key that was neither read nor dropped."""
        return next((key for key in self._state if key not in self._read), None)


def image_values(value_range: float, mean: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> State:
    """Return what our layout says about the values of images.

    Args:
        value_range: the largest value inside the network.
        mean: (3,) RGB, 0..255, subtracted from the picture.
    """
    return {"value_range": torch.tensor(value_range), "mean": torch.tensor(mean)}
