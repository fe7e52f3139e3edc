"""What a target is: one format that graphs are written in, and all that is special about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.lowering import LoweredNetwork
from gdq_models.predictor.parameters import PredictorParameters
from gdq_runtime.bundle.manifest import AgreementBound, Format, GraphSpec, Subgraph

Findings = dict[str, dict[str, Any]]
"""Section of the report -> graph -> what was found out about it, a frozen dataclass."""


@dataclass(frozen=True, eq=False)
class Source:
    """What a target writes: a network at all bit-widths, and what chooses among them."""

    lowered: Sequence[LoweredNetwork]
    predictor: PredictorParameters | SensitivityRule
    scale: int
    tiles: NDArray[np.uint8]
    """(N, size, size, 3), calibration tiles, of the size of the bundle's."""
    onnx_embeds_weights: bool = False
    """Whether every ONNX graph holds its weights, instead of one file beside all of them."""

    @property
    def tile(self) -> int:
        """Side of a tile."""
        return int(self.tiles.shape[1])


@dataclass(frozen=True)
class Library:
    """A library that a target cannot do without, beside those of every export."""

    module: str
    package: str
    """By which it is installed; its version is recorded in the manifest."""


class Target(ABC):
    """One format; stateless, so that the registry has one of each.

    Attributes:
        name: the format.
        engine: engine of the runtime that runs what was written, in order to prove it.
        rounds_as_written: whether its engines round wherever the lowered network says so. Formats
            that do are held to the same golden outputs, those of the first of them.
        bounds: how close every engine of the format, on any processor, comes to its golden outputs.
        library: what it needs, or None.
        sections: of the report, that ``check`` fills.
    """

    name: ClassVar[Format]
    engine: ClassVar[str]
    rounds_as_written: ClassVar[bool]
    bounds: ClassVar[tuple[AgreementBound, ...]]
    library: ClassVar[Library | None] = None
    sections: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def check_expressible(self, source: Source) -> None:
        """Make sure that the format has a place for every operator and form of the network.

        Raises:
            ExportError: it does not; the message names what is missing.
        """

    @abstractmethod
    def write(self, bundle: Path, source: Source) -> list[GraphSpec]:
        """Write all graphs into a bundle under construction.

        Returns:
            Where they are: the predictor first, then the network at each bit-width.

        Raises:
            ExportError: see ``check_expressible``.
        """

    def check(
        self, bundle: Path, predictor: GraphSpec, subgraphs: Sequence[Subgraph], source: Source
    ) -> Findings:
        """Look at what was written, as the libraries that run it load it.

        Raises:
            ExportError: they do not run it as it was meant to be run.
        """
        return {}

    def summarise(self, findings: Findings) -> list[str]:
        """Return what ``check`` found, in lines for a terminal."""
        return []
