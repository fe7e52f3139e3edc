"""What an engine must do; the rest of the runtime knows no library behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.sensing import open_bundle_sense


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictor's output for one tile.

    Attributes:
        logits: (3,), float32, the gate's scores for the manifest's ``gate_bit_widths``.
        entropy: entropy of the tile's luma, in nats.
        bit_width: the decision: 4, 5, 6 or 8.

    """

    logits: NDArray[np.float32]
    entropy: float
    bit_width: int


class Engine(Protocol):
    """Run a bundle's predictor and subgraphs; several threads call all methods in parallel.

    An engine needs nothing else. Its time at each bit-width is measured from outside
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
        """What it actually runs on, read back from the library, since libraries fall back silently.

        Equal to ``accelerator_asked`` if that is what is used; details may follow after a comma.
        """

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """Decide on a bit-width for a (height, width, 3) RGB tile.

        Raises:
            EngineError: the graph is refused, or its outputs are not a prediction.

        """

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """Tell what few bits would cost a (height, width, 3) RGB tile, by the bundle's graph.

        For bundles whose predictor is ``statistics`` only; ``predict`` is for the others. Routing
        itself computes the same without a graph (``engines.sensing``).

        Raises:
            EngineError: the graph is refused, or its output is not that of sensitivity heads.

        """

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Upscale a (height, width, 3) RGB tile to (height * scale, width * scale, 3).

        Of a bundle of two networks, ``open_engine`` opens what also runs the small one, at
        ``SMALL`` plus a bit-width.

        Raises:
            BundleError: there is no subgraph of this bit-width.
            EngineError: the graph is refused, or its output is not such a picture.

        """

    def close(self) -> None:
        """Free the library's memory; the engine cannot be used afterwards."""


EngineFactory = Callable[[Bundle, int | None], Engine]
"""Make an engine from a bundle and the side of the tiles in pixels, or None if sides vary.

If all tiles have one size, the engine may specialise its graphs.
"""


def predictor_of(engine: Engine, bundle: Bundle) -> Callable[[NDArray[np.uint8]], object]:
    """Return what predicts for a tile as the runtime does: a gate by its graph, heads beside it."""
    return open_bundle_sense(bundle) or engine.predict
