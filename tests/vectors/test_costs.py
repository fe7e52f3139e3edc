from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.prices import PriceSteps
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_runtime.routing.timed_picture import TimeDial, TimedPicture
from runtime.tiny_bundle import add_dial, read_manifest, write_manifest, write_tiny_bundle
from sensitivities import draw_rule
from vectors.write import load

VECTORS = load("costs")
DEVICES = {
    case["name"]: Costs(
        {int(route): seconds for route, seconds in case["seconds"].items()}, case["predict"]
    )
    for case in VECTORS["devices"]
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = write_tiny_bundle(tmp_path_factory.mktemp("costs") / "bundle")
    add_dial(folder)
    manifest = read_manifest(folder)
    edges = [0.25, 0.5, 0.75]
    manifest["trade_off"] |= {
        "points": VECTORS["points"],
        "fixed": VECTORS["fixed"],
        "bin_edges": edges,
    }
    (manifest["flat_tiles"],) = VECTORS["flat_tiles"]
    write_manifest(folder, manifest)
    return Bundle.open(folder)


@pytest.mark.parametrize("case", VECTORS["devices"], ids=lambda case: case["name"])
def test_widths_are_exchanged_alike(case: dict[str, Any]) -> None:
    costs = DEVICES[case["name"]]
    assert {str(width): costs.exchange(width) for width in (4, 5, 6, 8)} == case["instead"]


@pytest.mark.parametrize("case", VECTORS["requests"])
def test_dials_are_turned_alike(case: dict[str, Any], bundle: Bundle) -> None:
    request, decided = Request(**case["request"]), case["decided"]
    costs, crew = DEVICES[case["device"]], Crew(case["tiles"], case["workers"])
    if decided is None:
        with pytest.raises(RequestError):
            Router.create(bundle, request, costs, crew)
        return
    router = Router.create(bundle, request, costs, crew)
    if router.dial is None:
        assert decided["positions"] is None
        assert [route(router, width) for width in (4, 5, 6, 8)] == decided["bit_widths"]
        return
    found = [point.model_dump() for point in router.dial.positions]
    for position, expected in zip(found, decided["positions"], strict=True):
        assert position.pop("bit_widths") == expected["bit_widths"]
        assert position == {key: pytest.approx(expected[key]) for key in ("fab", "loss_db")}
    bound = router.dial.bound
    if bound is None:
        assert decided["bound"] is None
        return
    assert bound.largest == pytest.approx(decided["bound"]["largest"])
    prices = {int(route): price for route, price in decided["bound"]["prices"].items()}
    assert dict(bound.prices) == pytest.approx(prices)


def route(router: Router, predicted: int) -> int:
    seen = Prediction(np.zeros(3, np.float32), 0.5, predicted)
    return router.route(np.zeros((16, 16, 3), np.uint8), lambda _: seen)


@pytest.mark.parametrize("case", VECTORS["sensed_pictures"], ids=lambda case: case["name"])
def test_pictures_of_statistics_keep_their_time_alike(case: dict[str, Any]) -> None:
    rule = replace(draw_rule(flat=case["flat"]), steps=PriceSteps(tuple(case["above"])))
    dial = TimeDial(DEVICES[case["device"]], case["seconds"])
    # An error of 0 in all tiles is one of 0 in the picture.
    tiles = [Sensitivity(noise, 0, interpolation) for noise, interpolation in case["tiles"]]
    picture = TimedPicture(rule, dial, len(tiles), interpolates=True)
    routes: list[int] = []
    for start in range(0, len(tiles), case["band"]):
        band = tiles[start : start + case["band"]]
        picture.read(band)
        routes += picture.decide(band)
    assert routes == case["routes"]
