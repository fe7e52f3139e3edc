"""Our own engine on the CPU (runtime/gdq_engine): fast integer kernels for each bit-width.

All threads share one model, which includes the predictor; each thread has its own buffers.
"""

from __future__ import annotations

import os
import threading

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.answers import read_picture, read_prediction
from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.native_library import (
    NativeLibrary,
    NativeModel,
    NativeRunner,
    load_library,
)

ISA_VARIABLE = "GDQ_ISA"
"""Environment variable that names the instruction set to use instead of the best available."""

_MOST_RUNNERS = 4
"""Buffers per thread: the tiles of a picture have at most four sizes (inside, edges, corner)."""


class GdqEngine:
    """Run the bundle's packed model."""

    name = "gdq"
    accelerator_asked = "CPU"

    def __init__(self, bundle: Bundle) -> None:
        """Load the model; buffers are created when a thread first needs them.

        Args:
            bundle: the bundle to run.

        Raises:
            EngineError: the library is missing or refuses the model, or the instruction set that
                ``GDQ_ISA`` names is not available.

        """
        library = load_library()
        self._bundle = bundle
        self._place, self._model = _load(library, bundle, asked_instruction_set(library))
        self._own = threading.local()

    @property
    def accelerator_used(self) -> str:
        """The instruction set that the model runs on."""
        return f"CPU, {self._model.instruction_set}"

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        try:
            logits, entropy, bit_width = self._runner(*tile.shape[:2]).predict(tile)
        except EngineError as error:
            raise EngineError(f"{self._place} failed: {error}") from error
        return read_prediction(self._place, logits, np.array(entropy), np.array(bit_width))

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        try:
            return self._runner(*tile.shape[:2]).sense(tile)
        except EngineError as error:
            raise EngineError(f"{self._place} failed: {error}") from error

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        self._bundle.subgraph(bit_width)
        try:
            picture = self._runner(*tile.shape[:2]).run(bit_width, tile)
        except EngineError as error:
            raise EngineError(f"{self._place} failed: {error}") from error
        scale = self._bundle.manifest.network.scale
        return read_picture(self._place, picture[np.newaxis], tile, scale)

    def close(self) -> None:
        """See ``Engine.close``."""
        # This drops the buffers of all threads.
        self._own = threading.local()

    def _runner(self, height: int, width: int) -> NativeRunner:
        """Return the calling thread's own buffers for one size of tiles."""
        runners: dict[tuple[int, int], NativeRunner] = self._own.__dict__.setdefault("runners", {})
        size = height, width
        if size not in runners:
            if len(runners) == _MOST_RUNNERS:
                del runners[next(iter(runners))]
            runners[size] = NativeRunner(self._model, height, width)
        return runners[size]


def open_gdq(bundle: Bundle, _tile_size: int | None) -> GdqEngine:
    """See ``EngineFactory``; this engine takes tiles of any size."""
    return GdqEngine(bundle)


def asked_instruction_set(library: NativeLibrary) -> str | None:
    """Return the instruction set that ``GDQ_ISA`` names; None if the variable is not set.

    Raises:
        EngineError: the library was built without it, or this processor does not support it.

    """
    asked = os.environ.get(ISA_VARIABLE)
    if not asked:
        return None
    available = [name for name, is_here in library.instruction_sets().items() if is_here]
    if asked not in available:
        raise EngineError(
            f"{ISA_VARIABLE} is {asked!r}, but the engine and this processor support only "
            f"{', '.join(available)}"
        )
    return asked


def _load(library: NativeLibrary, bundle: Bundle, isa: str | None) -> tuple[str, NativeModel]:
    """Load the file that holds all graphs; return its path, for error messages, and the model."""
    graphs = (bundle.manifest.predictor, *bundle.manifest.subgraphs)
    file, *others = {str(graph.engine) for graph in graphs}
    if others:
        raise EngineError(f"{bundle.path}: its graphs are in several packed models instead of one")
    path = bundle.file(file)
    try:
        model = NativeModel(library, path.read_bytes(), isa)
    except (EngineError, OSError) as error:
        raise EngineError(f"engine 'gdq' refuses {path}: {error}") from error
    if not model.has_predictor:
        raise EngineError(
            f"engine 'gdq' refuses {path}: it has no predictor; export the checkpoint again"
        )
    return str(path), model
