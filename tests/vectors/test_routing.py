from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.errors import BundleError, RequestError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.routing.gradients import mean_gradient
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from runtime.tiny_bundle import read_manifest, write_manifest, write_tiny_bundle
from vectors.write import load

VECTORS = load("routing")
TILES = {tile["name"]: np.array(tile["pixels"], dtype=np.uint8) for tile in VECTORS["tiles"]}
PREDICTIONS = [
    Prediction(np.array(seen["logits"], np.float32), seen["entropy"], seen["bit_width"])
    for seen in VECTORS["predictions"]
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("routing")
    return {case["name"]: write_bundle(folder / case["name"], case) for case in VECTORS["bundles"]}


def write_bundle(folder: Path, case: dict[str, Any]) -> Bundle:
    """Writes a whole bundle around the case, which has what routing reads."""
    write_tiny_bundle(folder, bit_widths=case["bit_widths"])
    manifest = read_manifest(folder)
    if case["trade_off"] is not None:
        curves = dict.fromkeys(
            ("gate_margin", "entropy", "random", "oracle"), case["trade_off"]["fixed"]
        )
        manifest["trade_off"] = {"tiles": 1, "curves": curves, **case["trade_off"]}
    if case["flat_tiles"] is not None:
        manifest["flat_tiles"] = {"share": 0.2, **case["flat_tiles"]}
    write_manifest(folder, manifest)
    return Bundle.open(folder)


@pytest.mark.parametrize("case", VECTORS["tiles"], ids=lambda case: case["name"])
def test_gradients_are_equal(case: dict[str, Any]) -> None:
    assert mean_gradient(TILES[case["name"]]) == pytest.approx(case["gradient"], rel=1e-9)


@pytest.mark.parametrize("case", VECTORS["requests"])
def test_tiles_are_routed_alike(case: dict[str, Any], bundles: dict[str, Bundle]) -> None:
    bundle, request, decided = bundles[case["bundle"]], Request(**case["request"]), case["decided"]
    if decided is None:
        with pytest.raises((BundleError, RequestError)):
            Router.create(bundle, request)
        return
    router = Router.create(bundle, request)
    interpolated = [name for name, tile in TILES.items() if not router.needs_network(tile)]
    assert interpolated == decided["interpolated"]
    assert [route(router, seen) for seen in PREDICTIONS] == decided["bit_widths"]
    expected = decided["expected_loss_db"]
    assert router.expected_loss == (None if expected is None else pytest.approx(expected))
    assert (router.open_budget() is not None) == decided["is_bounded"]


def route(router: Router, seen: Prediction) -> int:
    def predict(_: NDArray[np.uint8]) -> Prediction:
        return seen

    return router.route(TILES["busy"], predict)
