"""The recipe of a training run: all that decides its result, apart from photos and weights."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic import model_validator as validate_model

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.networks.registry import network_names
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.training.errors import TrainingError

_LARGEST_FILE = 1 << 20
"""Bytes of a recipe."""

NonNegativeFloat = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_known(name: str) -> str:
    if name not in network_names():
        raise ValueError(f"unknown network {name!r}; choose one of {', '.join(network_names())}")
    return name


class NetworkRecipe(_Model):
    """The network to train; weights to start from must have the same sizes.

    Attributes:
        name: registry name.
        scale: upscaling factor.
        channels: number of output channels of the head convolution.
        blocks: number of residual blocks.
        gate: kind of gate; the paper's is ``group_norm``.
    """

    name: Annotated[str, AfterValidator(_is_known)]
    scale: Literal[2, 3, 4]
    channels: Annotated[int, Field(ge=4, le=512)] = 64
    blocks: Annotated[int, Field(ge=1, le=256)] = 16
    gate: GateKind = "group_norm"


class LearningRates(_Model):
    """Learning rates at the start of a stage, over which each falls to zero by half a cosine.

    Attributes:
        weights: rate of convolutions, biases, norms, slopes and shortcuts.
        steps: rate of all quantization steps, relative: 0.001 changes a step by about 0.1 %.
        gate: rate of the gate.
    """

    weights: NonNegativeFloat = 0.0
    steps: NonNegativeFloat = 0.0
    gate: NonNegativeFloat = 0.0


class Stage(_Model):
    """Settings that all stages share.

    Attributes:
        steps: number of optimizer steps.
        batch: patches per step, over all processes.
        patch: side of a patch in low-resolution pixels.
        candidates: number of random crops, of which the one with most contrast is the patch.
        warmup: number of steps over which the rates rise from zero.
        gradient_clip: largest norm of the gradient, for pixel values of 0..255; None: no limit.
        rates: learning rates.
    """

    steps: PositiveInt
    batch: PositiveInt = 16
    patch: Annotated[int, Field(ge=8, le=1024, multiple_of=4)] = 48
    candidates: Annotated[int, Field(ge=1, le=16)] = 1
    warmup: Annotated[int, Field(ge=0)] = 0
    gradient_clip: PositiveFloat | None = None
    rates: LearningRates

    @validate_model(mode="after")
    def _warmup_fits(self) -> Stage:
        if self.warmup >= self.steps:
            raise ValueError(f"warmup ({self.warmup}) must be shorter than steps ({self.steps})")
        return self


class FloatStage(Stage):
    """The network in float, without quantizers.

    Attributes:
        batch_statistics: whether batch normalisation uses the statistics of the batch and updates
            the running ones. Weights that were trained elsewhere should keep theirs.
    """

    kind: Literal["float"]
    batch_statistics: bool = True


class _TaughtStage(Stage):
    """A stage whose loss also compares with the float network.

    Attributes:
        teacher: weight of the distance to the float network, added to the distance to the photo.
    """

    teacher: NonNegativeFloat = 0.5


def _even_shares() -> dict[int, float]:
    return dict.fromkeys(BIT_WIDTHS, 1 / len(BIT_WIDTHS))


class _DrawnWidths(_TaughtStage):
    """A stage that draws bit-widths.

    Attributes:
        shares: how often each bit-width is drawn; the sum need not be 1.
    """

    shares: dict[int, Share] = Field(default_factory=_even_shares)

    @validate_model(mode="after")
    def _every_width_is_drawn(self) -> _DrawnWidths:
        if set(self.shares) != set(BIT_WIDTHS):
            raise ValueError(f"shares must name {BIT_WIDTHS}, got {tuple(self.shares)}")
        return self


class _Budget(_TaughtStage):
    """A stage that holds the gate to a budget of bits.

    Attributes:
        target_fab: mean bit-width to reach.
        budget: weight of the squared distance of the running mean bit-width from ``target_fab``.
    """

    target_fab: Annotated[float, Field(ge=4, le=8)]
    budget: PositiveFloat = 0.5


class WidthsStage(_DrawnWidths):
    """A random bit-width for every patch, so that every quantization step is trained."""

    kind: Literal["widths"]


class GateStage(_Budget):
    """Only the gate is trained, straight through its choice, within a budget of bits."""

    kind: Literal["gate"]


class FinishStage(_DrawnWidths, _Budget):
    """Everything is trained: half of the patches through the gate, half at a random bit-width.

    Without the second half, the network would unlearn a bit-width that the gate does not choose.
    """

    kind: Literal["finish"]


AnyStage = Annotated[
    FloatStage | WidthsStage | GateStage | FinishStage, Field(discriminator="kind")
]

_ORDER = ("float", "widths", "gate", "finish")


class Recipe(_Model):
    """A training run, from the first step to the last.

    Attributes:
        name: name of the checkpoint that is written.
        network: the network to train.
        stages: stages in the order float, widths, gate, finish, each at most once.
        seed: seed of everything that is random.
        tile: side of a tile when deployed, in low-resolution pixels; the entropy table depends
            on it.
        precision: precision of the arithmetic; quantization itself is always in float32.
        held_out: number of photos that are never trained on; the result is measured on them.
        betas: decay rates of Adam.
        checkpoint_every: number of steps between checkpoints to resume from.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    network: NetworkRecipe
    stages: Annotated[tuple[AnyStage, ...], Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    tile: Annotated[int, Field(ge=16, le=1024, multiple_of=4)] = 96
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed"
    held_out: Annotated[int, Field(ge=0)] = 4
    betas: tuple[Share, Share] = (0.9, 0.999)
    checkpoint_every: PositiveInt = 200

    @validate_model(mode="after")
    def _stages_are_in_order(self) -> Recipe:
        kinds = [stage.kind for stage in self.stages]
        if any(_ORDER.index(a) >= _ORDER.index(b) for a, b in pairwise(kinds)):
            raise ValueError(f"stages must be in the order {', '.join(_ORDER)}, got {kinds}")
        return self

    @property
    def steps(self) -> int:
        """Number of optimizer steps of all stages together."""
        return sum(stage.steps for stage in self.stages)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        TrainingError: the file cannot be read or is not YAML, a key is unknown, or a value is
            out of range.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)  # a device never ends
        if len(content) > _LARGEST_FILE:
            raise TrainingError(f"{path} is larger than {_LARGEST_FILE >> 20} MiB: not a recipe")
        document = yaml.safe_load(content.decode("utf-8"))
        return Recipe.model_validate(document)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise TrainingError(f"{path}: {_sentence(error)}") from error
    # YAML's messages span several lines; UnicodeDecodeError is a ValueError.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def _sentence(error: ValidationError) -> str:
    """Return where the first mistake is, and what; others show up once it is corrected."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
