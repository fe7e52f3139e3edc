"""ONNX Runtime with the network in float beside the bundle's widths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import FLOAT
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.answers import read_picture
from gdq_runtime.engines.ort import OrtEngine, open_session


class OrtFloatEngine(OrtEngine):
    """The runtime's engine, which also runs ``FLOAT``."""

    def __init__(self, bundle: Bundle, tile_size: int, float_network: Path) -> None:
        """Prepare the engine.

        Args:
            bundle: what to run.
            tile_size: side of all tiles.
            float_network: ONNX file with the input of the bundle's subgraphs.

        Raises:
            BundleError: the bundle has no ONNX graphs.
            EngineError: ONNX Runtime refuses the float network.

        """
        super().__init__(bundle, tile_size)
        self._scale = bundle.manifest.network.scale
        self._input = bundle.manifest.subgraphs[0].inputs[0]
        self._float_network = float_network
        self._float_session = open_session(float_network, self._input, tile_size)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        if bit_width != FLOAT:
            return super().run(bit_width, tile)
        (output,) = self._float_session.run(None, {self._input.name: tile[np.newaxis]})
        return read_picture(str(self._float_network), output, tile, self._scale)
