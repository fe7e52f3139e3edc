"""A bundle whose predictor is statistics: exported, proved by every engine, and routed by it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.made_pictures import random_image
from factories import tiny_edsr
from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_exporter.config import ExportConfig
from gdq_exporter.errors import ExportError
from gdq_exporter.pipeline import export
from gdq_models import save_checkpoint
from gdq_models.predictor.statistics import StatisticsPredictor
from gdq_runtime import Upscaler
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.registry import open_engine
from gdq_runtime.routing.price_dial import PricePosition
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router, SensedRouting
from gdq_validate.agreement import read_picture
from gdq_validate.engines.numpy_engine import NumpyEngine
from gdq_validate.engines.torch_engine import TorchEngine
from runtime.engine_library import need_library
from sensitivities import draw_rule

TILE = 32


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    need_library()
    folder = tmp_path_factory.mktemp("statistics")
    network = tiny_edsr()
    network.predictor = StatisticsPredictor()
    network.predictor.install(draw_rule(TILE, price=-120, flat=-60))
    save_checkpoint(network, folder / "tiny.safetensors")
    config = ExportConfig(tile=TILE, calibration_tiles=4, trade_off_tiles=24)
    export(folder / "tiny.safetensors", folder / "bundle", config)
    return Bundle.open(folder / "bundle")


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    """Noise on the left, a plane on the right, and five bands of tiles."""
    picture = random_image(140, 170, 3)
    picture[:, 90:] = 128
    return cv2.GaussianBlur(picture, (0, 0), 1.0)  # type: ignore[return-value]


def test_tiles_of_another_size_are_refused(tmp_path: Path) -> None:
    network = tiny_edsr()
    network.predictor = StatisticsPredictor()
    network.predictor.install(draw_rule(TILE, price=-120, flat=-60))
    save_checkpoint(network, tmp_path / "tiny.safetensors")
    with pytest.raises(ExportError, match="to tiles of 32 pixels, not 48: export with --tile"):
        export(tmp_path / "tiny.safetensors", tmp_path / "bundle", ExportConfig(tile=48))
    assert not (tmp_path / "bundle").exists()


def test_the_manifest_has_the_checkpoints_rule(bundle: Bundle) -> None:
    predictor = bundle.manifest.predictor
    assert predictor.gate == "statistics"
    assert predictor.e2b is None
    assert predictor.gate_bit_widths is None
    assert predictor.sensitivity is not None
    rule, expected = predictor.sensitivity.rule(), draw_rule(TILE, price=-120, flat=-60)
    np.testing.assert_array_equal(rule.heads.weights, expected.heads.weights)
    assert (rule.steps, rule.price, rule.flat) == (expected.steps, -120, -60)
    assert [output.name for output in predictor.outputs] == ["sensitivity"]


def golden_tiles(bundle: Bundle) -> list[tuple[NDArray[np.uint8], list[int] | None]]:
    return [
        (read_picture(bundle.file(golden.tile)), golden.sensitivity)
        for golden in bundle.manifest.golden
    ]


@pytest.mark.parametrize("name", ["onnxruntime", "litert", "gdq"])
def test_every_engine_has_the_golden_sensitivities(bundle: Bundle, name: str) -> None:
    with closing(open_engine(name, bundle, TILE)) as engine:
        for tile, expected in golden_tiles(bundle):
            assert list(engine.sense(tile)) == expected


def test_so_do_numpy_and_torch(bundle: Bundle) -> None:
    network = tiny_edsr()
    network.predictor = StatisticsPredictor()
    network.predictor.install(draw_rule(TILE))
    for tile, expected in golden_tiles(bundle):
        for engine in (NumpyEngine(bundle), TorchEngine(network)):
            assert list(engine.sense(tile)) == expected


def test_the_dial_goes_from_all_at_four_bits_to_more(bundle: Bundle) -> None:
    trade_off = bundle.manifest.trade_off
    assert trade_off is not None
    fabs = [point.fab for point in trade_off.prices]
    assert fabs[0] == 4
    prices = [point.price for point in trade_off.prices]
    assert 0 < prices[0] - prices[1] < 100
    assert fabs[-1] > 7
    assert fabs == sorted(fabs)
    assert trade_off.curves.sensitivity
    assert not trade_off.curves.gate_margin


@pytest.mark.parametrize("name", ["onnxruntime", "litert", "gdq"])
def test_decisions_depend_on_neither_threads_nor_engine(
    bundle: Bundle, image: NDArray[np.uint8], name: str
) -> None:
    maps = []
    for engine, threads in (("gdq", 1), (name, 1), (name, 3)):
        with Upscaler(bundle, engine, threads) as upscaler:
            maps.append([upscaler(image, fab=5.0).bit_map for _ in range(2)])
    for others in maps[1:]:
        np.testing.assert_array_equal(maps[0], others)


def test_a_fab_is_followed_across_pictures(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    with Upscaler(bundle, "gdq", 1) as upscaler:
        results = [upscaler(image, fab=5.5, flat_tiles="network").network_fab for _ in range(60)]
    assert np.mean(results[20:]) == pytest.approx(5.5, abs=0.15)


def test_a_cap_holds_in_every_picture(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    with Upscaler(bundle, "gdq", 1) as upscaler:
        for _ in range(5):
            assert upscaler(image, fab=4.8, fab_cap=5.0).network_fab <= 5.0


CHEAP_SIX = Costs({INTERPOLATED: 0.1, 4: 4.0, 5: 4.9, 6: 5.0, 8: 8.0}, 0.1)
BY_NETWORK = Request(flat_tiles="network")


def choose(bundle: Bundle, image: NDArray[np.uint8], request: Request, costs: Costs | None) -> Any:
    with Upscaler(bundle, "gdq", 1, costs=costs) as upscaler:
        return upscaler(image, request)


def route(bundle: Bundle, request: Request, costs: Costs | None) -> NDArray[np.int64]:
    """Routes of tiles whose heads are drawn at random, around the price."""
    routing = Router.create(bundle, request, costs).sensed
    assert routing is not None
    drawn = np.random.default_rng(0).integers((-150, -20, 0), (60, 100, 50), (200, 3))
    band = [Sensitivity(*row) for row in drawn.tolist()]
    picture = routing.open_picture(len(band))
    picture.read(band)
    return np.array(picture.decide(band))


def test_bits_that_time_does_not_pay_for_are_given(bundle: Bundle) -> None:
    """Six bits take hardly longer than four here, so that more tiles get them; none gets fewer."""
    by_bits, in_time = (route(bundle, BY_NETWORK, costs) for costs in (None, CHEAP_SIX))
    assert (in_time >= by_bits).all()
    assert ((by_bits == 4) & (in_time == 6)).any()
    assert 5 not in in_time
    expected = [
        Router.create(bundle, BY_NETWORK, costs).expected_loss for costs in (None, CHEAP_SIX)
    ]
    assert expected[0] == expected[1]


def test_the_dials_price_is_told(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    by_bits, in_time = (choose(bundle, image, BY_NETWORK, costs) for costs in (None, CHEAP_SIX))
    assert by_bits.dial == PricePosition(decibels_per_bit(-120), None)
    assert in_time.dial.decibels_per_bit == by_bits.dial.decibels_per_bit
    # 8 bits are the dearest: three seconds for two bits more than six
    assert in_time.dial.decibels_per_millisecond == pytest.approx(
        by_bits.dial.decibels_per_bit / 1500
    )
    timed = choose(bundle, image, Request(speed=1.2), CHEAP_SIX)
    assert timed.dial.decibels_per_millisecond > 0
    assert choose(bundle, image, Request(6), CHEAP_SIX).dial is None


def test_a_loss_is_kept_in_the_least_time(bundle: Bundle) -> None:
    trade_off = bundle.manifest.trade_off
    assert trade_off is not None
    asked = Request(max_loss=trade_off.prices[0].loss_db / 2, flat_tiles="network")
    routing = Router.create(bundle, asked, CHEAP_SIX).sensed
    assert isinstance(routing, SensedRouting)
    assert routing.steps == routing.rule.steps.with_costs(CHEAP_SIX.in_bits)


def test_bits_count_where_a_mean_of_them_is_asked_for(bundle: Bundle) -> None:
    for request in (Request(fab=5.0), Request(fab_cap=4.5)):
        by_bits, in_time = (route(bundle, request, costs) for costs in (None, CHEAP_SIX))
        np.testing.assert_array_equal(by_bits, in_time)
        position = Router.create(bundle, request, CHEAP_SIX).position
        assert isinstance(position, PricePosition)
        assert position.decibels_per_millisecond is None


def test_flat_tiles_are_those_of_the_third_head(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    with Upscaler(bundle, "gdq", 1) as upscaler:
        assert INTERPOLATED in upscaler(image).bit_map
        assert INTERPOLATED not in upscaler(image, flat_tiles="network").bit_map
        one = upscaler(image, bits=6, flat_tiles="interpolate").bit_map
        assert INTERPOLATED in one
        assert set(np.unique(one)) <= {INTERPOLATED, 6}
        assert set(np.unique(upscaler(image, bits=6).bit_map)) == {6}


def test_the_published_tiling_is_routed_too(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    with Upscaler(bundle, "gdq", 1, policy="paper") as upscaler:
        assert INTERPOLATED not in upscaler(image).bit_map


def test_the_price_begins_where_the_dial_says(bundle: Bundle) -> None:
    trade_off = bundle.manifest.trade_off
    assert trade_off is not None
    for point in (trade_off.prices[1], trade_off.prices[3], trade_off.prices[-1]):
        router = Router.create(bundle, Request(fab=point.fab, flat_tiles="network"))
        assert router.sensed is not None
        assert router.sensed.control.price == pytest.approx(point.price)
        assert router.expected_loss == pytest.approx(point.loss_db)
    low, high = trade_off.prices[3:5]
    between = Router.create(bundle, Request(fab=(low.fab + high.fab) / 2)).sensed
    assert between is not None
    assert high.price < between.control.price < low.price


def test_a_loss_is_asked_for_within_the_dials_reach(bundle: Bundle) -> None:
    trade_off = bundle.manifest.trade_off
    assert trade_off is not None
    worst = trade_off.prices[0].loss_db
    router = Router.create(bundle, Request(max_loss=worst / 2, flat_tiles="network"))
    assert router.expected_loss is not None
    assert router.expected_loss <= worst / 2
    with pytest.raises(RequestError, match=r"fab 3\.9 is below"):
        Router.create(bundle, Request(fab=3.9))


def test_reading_ahead_changes_no_pixel_of_one_width(
    bundle: Bundle, image: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The same tiles at the same widths, whether the price decided them or not."""
    with Upscaler(bundle, "gdq", 2) as upscaler:
        routed, plain = upscaler(image, fab=4.0, flat_tiles="network"), upscaler(image, bits=4)
        np.testing.assert_array_equal(routed.bit_map, plain.bit_map)
        np.testing.assert_array_equal(routed.image, plain.image)
