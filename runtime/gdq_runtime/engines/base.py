"""What an engine must do; the rest of the runtime knows no library below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.reader import Bundle


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictor's answer for one tile.

    Attributes:
        logits: (3,), float32, the gate's scores of the manifest's ``gate_bit_widths``.
        entropy: of the tile's luma, in nats.
        bit_width: the decision, one of 4, 5, 6, 8.

    """

    logits: NDArray[np.float32]
    entropy: float
    bit_width: int


class Engine(Protocol):
    """Runs predictor and subgraphs of a bundle; all of it is called in parallel.

    This is all that an engine has to be. Its time at each bit-width is measured from outside
    (``engines.timed``), in the same way for all engines.
    """

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def accelerator_asked(self) -> str:
        """What the engine was told to run on."""

    @property
    def accelerator_used(self) -> str:
        """What it really runs on; libraries fall back silently, so this is read back from them.

        What was asked for, if that is what it is; details may follow behind a comma.
        """

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """Decide on a bit-width for a (height, width, 3) RGB tile.

        Raises:
            EngineError: the graph is refused, or answers with what is no prediction.

        """

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """Tell what few bits would cost a (height, width, 3) RGB tile, by the bundle's graph.

        Only of bundles whose predictor is ``statistics``; ``predict`` only of the others. Routing
        itself computes it without a graph (``routing.sensing``).

        Raises:
            EngineError: the graph is refused, or answers with what are no heads.

        """

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Upscale a (height, width, 3) RGB tile to (height * scale, width * scale, 3).

        Raises:
            BundleError: there is no subgraph of this bit-width.
            EngineError: the graph is refused, or answers with what is no such picture.

        """

    def close(self) -> None:
        """Free the library's memory; the engine cannot be used afterwards."""


EngineFactory = Callable[[Bundle, int | None], Engine]
"""Bundle, side of the tiles if all have the same (the engine may then specialise) -> engine."""


def predictor_of(engine: Engine, bundle: Bundle) -> Callable[[NDArray[np.uint8]], object]:
    """Return what asks a bundle's predictor, of whichever kind it is, for one tile."""
    has_statistics = bundle.manifest.predictor.sensitivity is not None
    return engine.sense if has_statistics else engine.predict
