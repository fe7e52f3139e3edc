from __future__ import annotations

import pytest

from gdq_exporter.checks.routing import FAB, check_routing, fitted_mean
from gdq_models.predictor.predictor import BitPredictor
from gdq_models.predictor.statistics import HeldOutLosses, StatisticsPredictor
from gdq_runtime.bundle.manifest import TradeOff, TradeOffCurves, TradeOffPoint
from sensitivities import draw_rule


def curve(*losses: float) -> list[TradeOffPoint]:
    return [
        TradeOffPoint(fab=fab, loss_db=loss)
        for fab, loss in zip((4.0, 5.2, 8.0), losses, strict=True)
    ]


def trade_off(share: float) -> TradeOff:
    """At 4.6 bits, half way from 4 to 5.2, chance loses 0.1 dB and each signal so much of it."""
    return TradeOff.model_construct(
        tiles=24,
        signal="entropy",
        curves=TradeOffCurves(
            gate_margin=curve(9, 9, 0),
            entropy=curve(0.18 * share, 0.02 * share, 0),
            random=curve(0.18, 0.02, 0),
            oracle=curve(0, 0, 0),
        ),
    )


def judged(predictor: float) -> StatisticsPredictor:
    network = StatisticsPredictor()
    network.install(draw_rule(), HeldOutLosses(5.0, predictor, 0.2))
    return network


@pytest.mark.parametrize(("loss", "is_earned"), [(0.15, True), (0.16, False)])
def test_what_the_calibration_kept_decides(loss: float, is_earned: bool) -> None:
    check = check_routing(judged(loss), trade_off(share=1.0), "photos")
    assert (check.fab, check.predictor, check.random) == (5.0, loss, 0.2)
    assert (check.warning is None) == check.is_earned == is_earned


@pytest.mark.parametrize(("share", "is_earned"), [(0.74, True), (0.76, False)])
def test_a_gate_is_judged_by_the_dials_own_tiles(share: float, is_earned: bool) -> None:
    check = check_routing(BitPredictor(8, "linear"), trade_off(share), "photos")
    assert check.fab == FAB
    assert check.predictor == pytest.approx(0.1 * share)
    assert check.random == pytest.approx(0.1)
    assert check.is_earned == is_earned


def test_a_warning_says_what_was_measured_and_what_to_do() -> None:
    kept = check_routing(judged(0.1999), trade_off(share=0.1), "photos").warning
    assert kept is not None
    assert "at 5 bits it loses 0.1999 dB, chance 0.2000 (gdq-calibrate, on held-out" in kept
    heads = StatisticsPredictor()
    heads.install(draw_rule())
    by_prices = trade_off(share=0.1)
    by_prices.curves.sensitivity.extend(curve(0.17, 0.02, 0))
    measured = check_routing(heads, by_prices, "photos").warning
    assert measured is not None
    assert "chance 0.1000 (this export, on 24 tiles of photos)" in measured
    assert "gdq-upscale --bits 8" in measured


def test_the_calibrations_mean_is_known_where_it_was_kept() -> None:
    assert fitted_mean(judged(0.1)) == 5.0
    assert fitted_mean(StatisticsPredictor()) is None
    assert fitted_mean(BitPredictor(8, "linear")) is None
