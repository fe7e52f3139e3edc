from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.made_pictures import random_image
from gdq_core.bit_widths import SMALL
from gdq_core.errors import BundleError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.paired import PairedEngine
from gdq_runtime.engines.registry import open_engine
from runtime.tiny_bundle import predict, upscale, write_tiny_bundle


def test_routes_go_to_the_engine_of_their_network(tmp_path: Path) -> None:
    large = Bundle.open(write_tiny_bundle(tmp_path / "large"))
    small = Bundle.open(write_tiny_bundle(tmp_path / "small", bit_widths=(4, 8)))
    tile = random_image(16, 16, 3)
    engines = [open_engine("onnxruntime", bundle) for bundle in (large, small)]
    with closing(PairedEngine(*engines)) as engine:
        assert engine.name == "onnxruntime"
        assert engine.accelerator_used == engine.accelerator_asked
        assert engine.predict(tile).bit_width == predict(tile)
        np.testing.assert_array_equal(engine.run(6, tile), upscale(tile, 6))
        np.testing.assert_array_equal(engine.run(SMALL + 8, tile), upscale(tile, 8))
        with pytest.raises(BundleError, match="small has no subgraph of 5 bits"):
            engine.run(SMALL + 5, tile)
