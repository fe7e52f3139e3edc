from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_exporter.trade_off.operating_points import (
    LARGEST_FLAT_LOSS,
    find_flat_tiles,
    find_trade_off,
)
from gdq_exporter.trade_off.tile_errors import TileErrors
from gdq_runtime.bundle.manifest import Signal

SIGNALS = get_args(Signal)


def telling_tiles(count: int = 96, seed: int = 0, *, telling: str = "gate_margin") -> TileErrors:
    """Half of the tiles need 8 bits, half do not; one signal knows which, the other is noise."""
    random = np.random.default_rng(seed)
    needy = np.arange(count) % 2 == 0
    extra = np.where(needy, 1.0, 0.01)[:, np.newaxis] * [0.5, 0.3, 0.2, 0.0]
    signals = {name: random.normal(size=count) for name in SIGNALS}
    signals[telling] = needy + 0.1 * random.normal(size=count)
    gradient = random.uniform(0, 20, count)
    return TileErrors(
        picture_of=np.arange(count) // 2 % 12,
        bit_widths=(4, 5, 6, 8),
        losses=extra,
        interpolated=0.02 * gradient,
        gradient=gradient,
        predicted=np.where(needy, 8, 4),
        **signals,
    )


@pytest.mark.parametrize("telling", SIGNALS)
def test_the_signal_that_knows_more_is_kept(telling: str) -> None:
    assert find_trade_off(telling_tiles(telling=telling)).signal == telling


def test_curves_are_ordered_random_gate_oracle() -> None:
    curves = find_trade_off(telling_tiles()).curves
    fabs = np.linspace(4, 8, 17)
    random, gate, oracle = (
        np.interp(fabs, [point.fab for point in curve], [point.loss_db for point in curve])
        for curve in (curves.random, curves.gate_margin, curves.oracle)
    )
    assert (oracle <= gate + 0.02).all()
    assert (gate <= random + 0.01).all()
    assert gate[8] < 0.2 * random[8]


def test_a_signal_that_knows_nothing_does_not_seem_to() -> None:
    """Fitted and judged on the same few tiles, noise would look better than chance."""
    flattered = []
    for seed in range(8):
        curves = find_trade_off(telling_tiles(48, seed)).curves
        fabs = np.linspace(4.5, 7.5, 13)
        noise, random = (
            np.interp(fabs, [point.fab for point in curve], [point.loss_db for point in curve])
            for curve in (curves.entropy, curves.random)
        )
        flattered.append((noise - random).mean())
    assert np.mean(flattered) > -0.01


def test_of_one_picture_the_fit_is_judged_on_itself() -> None:
    seen = telling_tiles()
    one = TileErrors(**{**vars(seen), "picture_of": np.zeros(96, dtype=np.intp)})
    assert find_trade_off(one).signal == "gate_margin"


def test_fixed_widths_and_predictor_lose_what_was_measured() -> None:
    trade_off = find_trade_off(telling_tiles())
    mean_extra = np.array([0.5, 0.3, 0.2, 0.0]) * (1 + 0.01) / 2
    np.testing.assert_allclose([point.loss_db for point in trade_off.fixed], mean_extra, atol=1e-4)
    assert [point.fab for point in trade_off.fixed] == [4, 5, 6, 8]
    assert trade_off.predictor.fab == 6
    assert trade_off.predictor.loss_db == pytest.approx(0.005 / 2, abs=1e-4)


@settings(max_examples=50)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_points_are_monotone_and_their_bins_give_their_fab(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    seen = TileErrors(
        picture_of=random.integers(0, 5, count),
        bit_widths=(4, 5, 6, 8),
        losses=random.uniform(-0.5, 1.5, (count, 4)) * [1, 1, 1, 0],
        interpolated=random.uniform(-0.5, 1.5, count),
        gate_margin=random.integers(0, 5, count).astype(float),
        entropy=random.uniform(1, 3, count),
        gradient=random.uniform(0, 9, count),
        predicted=random.choice([4, 5, 6, 8], count),
    )
    trade_off = find_trade_off(seen)
    assert trade_off.signal is not None
    signal = getattr(seen, trade_off.signal)
    for point in trade_off.points:
        bits = [point.bit_widths[sum(edge < s for edge in trade_off.bin_edges)] for s in signal]
        assert np.mean(bits) == pytest.approx(point.fab, abs=1e-4)
    for earlier, later in pairwise(trade_off.points):
        assert earlier.fab < later.fab
        assert earlier.loss_db > later.loss_db


def test_flat_tiles_stay_within_the_bound() -> None:
    seen = telling_tiles()
    flat = find_flat_tiles(seen)
    assert flat is not None
    assert flat.largest_gradient is not None
    chosen = seen.gradient <= flat.largest_gradient
    assert chosen.mean() == pytest.approx(flat.share)
    loss = np.where(chosen, seen.interpolated, 0).mean()
    assert loss == pytest.approx(flat.loss_db, abs=1e-5)
    assert flat.loss_db <= LARGEST_FLAT_LOSS
    # One more tile would exceed it.
    following = np.min(seen.gradient[~chosen])
    chosen = seen.gradient <= following
    assert np.where(chosen, seen.interpolated, 0).mean() > LARGEST_FLAT_LOSS


def test_no_flat_tiles_where_interpolation_always_costs() -> None:
    seen = telling_tiles(4)
    costly = TileErrors(**{**vars(seen), "interpolated": np.full(4, 3.0)})
    assert find_flat_tiles(costly) is None
