"""What the Kotlin runtime is held to: bundles, pictures, and what the Python runtime makes of them.

``PYTHONPATH=tests python -m android.expected FOLDER`` writes all of it, with one file
``expected.json`` that says what is what (``make android``):

- ``tiles``: a ``tile`` of a ``bundle``, what its ``predictor`` answers (``logits``, ``entropy`` and
  ``bit_width``, or ``sensitivity``), and its upscaled ``pictures`` by bit-width, as ctypes has them
  from the same library of the engine.
- ``pictures``: a ``request`` for a ``picture``, the ``result``, its ``bit_map``, and the
  ``expected_loss_db``, on one thread. ``costs`` are those of a made-up device, or null.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from factories import tiny_edsr
from gdq_bench.measure.sample_picture import mosaic
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.pictures.encode import save_picture
from gdq_core.pictures.whole import read_rgb
from gdq_exporter import ExportConfig, export
from gdq_models import save_checkpoint
from gdq_runtime import Bundle, Request, Upscaler
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.gdq import GdqEngine

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "models/zoo/edsr_mobile_x2/edsr_mobile_x2.safetensors"
"""Has statistics for its predictor; the tiny network has a gate."""

PHOTO = (1640, 1224)
"""Width and height: two megapixels."""

COSTS = Costs({0: 0.2, 4: 4.0, 5: 5.5, 6: 5.6, 8: 9.0}, predict=0.1)
"""Of a device that is made up: 6 bits are hardly slower than 5."""

IN_TIME: tuple[tuple[str, dict[str, Any]], ...] = (
    ("zoo", {"flat_tiles": "network"}),
    ("zoo", {"speed": 1.5}),
    ("zoo", {"max_seconds": 70.0}),
    ("zoo", {"max_loss": 0.05}),
    ("zoo", {"fab": 5.0}),
    ("zoo", {"fab_cap": 5.0, "flat_tiles": "network"}),
    ("tiny", {"flat_tiles": "network"}),
    ("tiny", {"speed": 1.5, "flat_tiles": "network"}),
)
"""Requests for the small picture to that device."""

REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    # bundle, picture, request
    ("zoo", "photo", {"flat_tiles": "network"}),
    ("zoo", "photo", {}),
    ("zoo", "small", {"fab": 5.0}),
    ("zoo", "small", {"fab_cap": 4.5, "flat_tiles": "network"}),
    ("zoo", "small", {"max_loss": 0.05}),
    ("zoo", "small", {"bits": 4, "policy": "paper"}),
    ("zoo", "rgba", {"bits": 6}),
    ("zoo", "pixel", {"flat_tiles": "network"}),
    ("tiny", "small", {"flat_tiles": "network"}),
    ("tiny", "small", {"fab": 5.0, "flat_tiles": "network"}),
    ("tiny", "small", {}),
    ("tiny", "small", {"policy": "paper"}),
)


def draw_pictures() -> dict[str, NDArray[np.uint8]]:
    photo = mosaic(*PHOTO)
    small = photo[300:500, 100:370]
    y, x = np.ogrid[:200, :270]
    distance = np.hypot(y - 100, x - 135)
    alpha = np.clip(4 * (90 - distance), 0, 255).astype(np.uint8)
    rgba = np.dstack([small, alpha])
    return {"photo": photo, "small": small, "rgba": rgba, "pixel": photo[:1, :1]}


def export_bundles(folder: Path) -> dict[str, Bundle]:
    """Both kinds of predictors in the engine's format, and ONNX graphs of the tiny network.

    Those have golden outputs of their own, so that nothing is expected of them here.
    """
    tiny = folder / "tiny.safetensors"
    save_checkpoint(tiny_edsr(2, seed=1).eval(), tiny)
    configs = {
        "zoo": (ZOO, ExportConfig(formats=("engine",))),
        "tiny": (tiny, ExportConfig(tile=32, overlap=4, formats=("engine",))),
    }
    for name, (checkpoint, config) in configs.items():
        export(checkpoint, folder / name, config)
    for name, is_embedded in (("onnx", False), ("onnx_embedded", True)):
        config = ExportConfig(tile=32, overlap=4, formats=("onnx",), onnx_embed_weights=is_embedded)
        export(tiny, folder / name, config)
    return {name: Bundle.open(folder / name) for name in configs}


def run_tiles(bundles: dict[str, Bundle], folder: Path) -> list[dict[str, Any]]:
    found = []
    for name, bundle in bundles.items():
        engine = GdqEngine(bundle)
        for number, golden in enumerate(bundle.manifest.golden):
            tile, pictures = read_rgb(bundle.file(golden.tile)), {}
            for width in BIT_WIDTHS:
                pictures[width] = f"{name}_{number}_bits{width}.png"
                save_picture(engine.run(width, tile), folder / pictures[width], overwrite=False)
            place = f"{name}/{golden.tile}"
            answer = _ask(engine, bundle, tile)
            found.append({"bundle": name, "tile": place, "predictor": answer, "pictures": pictures})
    return found


def _ask(engine: GdqEngine, bundle: Bundle, tile: NDArray[np.uint8]) -> dict[str, Any]:
    if bundle.manifest.predictor.sensitivity is not None:
        return {"sensitivity": list(engine.sense(tile))}
    seen = engine.predict(tile)
    logits = seen.logits.tolist()
    return {"logits": logits, "entropy": seen.entropy, "bit_width": seen.bit_width}


def upscale_pictures(bundles: dict[str, Bundle], folder: Path) -> list[dict[str, Any]]:
    pictures, found = draw_pictures(), []
    for name, picture in pictures.items():
        save_picture(picture, folder / f"{name}.png", overwrite=False)
    in_time = [(COSTS, bundle, "small", choices) for bundle, choices in IN_TIME]
    cases = [*((None, *case) for case in REQUESTS), *in_time]
    for number, (costs, bundle, name, choices) in enumerate(cases):
        request = Request(**choices)
        with Upscaler(bundles[bundle], "gdq", 1, request.policy, costs) as upscaler:
            result = upscaler(pictures[name], request)
        file = f"{name}_{number}.png"
        save_picture(result.image, folder / file, overwrite=False)
        found.append(
            {
                "bundle": bundle,
                "picture": f"{name}.png",
                "request": choices,
                "costs": None if costs is None else _write_costs(costs),
                "result": file,
                "bit_map": result.bit_map.tolist(),
                "expected_loss_db": result.expected_loss,
            }
        )
    return found


def _write_costs(costs: Costs) -> dict[str, Any]:
    return {"seconds": dict(costs.seconds), "predict": costs.predict}


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    bundles = export_bundles(folder)
    expected = {
        "tiles": run_tiles(bundles, folder),
        "pictures": upscale_pictures(bundles, folder),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
