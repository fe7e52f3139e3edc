from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_core.errors import BundleError, RequestError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Predict, Router
from runtime.tiny_bundle import add_dial, read_manifest, write_manifest, write_tiny_bundle

TILE = np.zeros((8, 8, 3), dtype=np.uint8)


def says(prediction: Prediction) -> Predict:
    return lambda _: prediction


def prediction(bit_width: int) -> Prediction:
    return Prediction(np.zeros(3, dtype=np.float32), 2.0, bit_width)


def test_the_prediction_is_followed(tmp_path: Path) -> None:
    router = Router.create(Bundle.open(write_tiny_bundle(tmp_path / "b")), Request())
    assert [router.route(TILE, says(prediction(width))) for width in (4, 5, 6, 8)] == [4, 5, 6, 8]
    assert router.forced is None


@pytest.mark.parametrize(
    ("available", "routes"), [((4, 8), [4, 8, 8, 8]), ((5,), [5, 5, 5, 5]), ((4, 6), [4, 6, 6, 6])]
)
def test_a_missing_width_is_rounded_up_if_possible(
    available: tuple[int, ...], routes: list[int]
) -> None:
    router = Router(available, None)
    assert [router.route(TILE, says(prediction(width))) for width in (4, 5, 6, 8)] == routes


def test_a_request_must_be_in_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "b", bit_widths=(4, 8)))
    assert Router.create(bundle, Request(8)).forced == 8
    with pytest.raises(BundleError, match="no subgraph of 6 bits"):
        Router.create(bundle, Request(6))


@pytest.fixture
def dialled(tmp_path: Path) -> Bundle:
    folder = write_tiny_bundle(tmp_path / "dialled")
    add_dial(folder)
    return Bundle.open(folder)


def signalling(entropy: float) -> Prediction:
    return Prediction(np.zeros(3, dtype=np.float32), entropy, 5)


@pytest.mark.parametrize(
    ("asked", "routes", "loss"),
    [
        (Request(fab=4), [4, 4], 0.41),
        (Request(fab=7.9), [4, 8], 0.11),
        (Request(fab=100), [8, 8], 0.01),
        (Request(max_loss=0.109), [8, 8], 0.01),
        (Request(max_loss=0.12), [4, 8], 0.11),
        (Request(max_loss=0.1, flat_tiles="network"), [4, 8], 0.1),
        (Request(max_loss=0), [8, 8], 0.0),
        (Request(), [5, 5], 0.21),
        (Request(flat_tiles="network"), [5, 5], 0.2),
    ],
)
def test_the_dial_finds_its_point(
    dialled: Bundle, asked: Request, routes: list[int], loss: float
) -> None:
    router = Router.create(dialled, asked)
    # An edge belongs to the bin below it.
    assert [router.route(TILE, says(signalling(entropy))) for entropy in (0.5, 0.51)] == routes
    assert router.expected_loss == pytest.approx(loss)


def test_the_dial_reads_the_gate(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle")
    add_dial(folder, "gate_margin")
    router = Router.create(Bundle.open(folder), Request(fab=6))
    sure = Prediction(np.array([0, 0, 0.6], dtype=np.float32), 9.0, 5)
    unsure = Prediction(np.array([0.2, 0, 0.6], dtype=np.float32), 9.0, 5)
    assert [router.route(TILE, says(seen)) for seen in (unsure, sure)] == [4, 8]


def test_only_a_fab_is_a_budget(dialled: Bundle) -> None:
    assert Router.create(dialled, Request(fab=6)).open_budget() is not None
    for request in (Request(), Request(8), Request(max_loss=0.2)):
        assert Router.create(dialled, request).open_budget() is None


def test_the_dial_is_monotone(dialled: Bundle) -> None:
    def expected_loss(fab: float) -> float:
        loss = Router.create(dialled, Request(fab=fab)).expected_loss
        assert loss is not None
        return loss

    losses = [expected_loss(fab) for fab in np.arange(4, 9, 0.1)]
    assert losses == sorted(losses, reverse=True)


def test_one_width_for_all_loses_what_was_calibrated(dialled: Bundle) -> None:
    assert Router.create(dialled, Request(8)).expected_loss == 0
    assert Router.create(dialled, Request(5)).expected_loss is None


@pytest.mark.parametrize(
    ("seconds", "asked", "loss"),
    [
        ((4, 5, 6, 8), Request(flat_tiles="network"), 0.2),
        ((8, 8, 8, 8), Request(flat_tiles="network"), 0.0),
        ((8, 8, 8, 8), Request(), 0.01),
        ((8, 8, 8, 8), Request(4), 0.4),
        ((4, 8, 8, 8), Request(max_loss=0.12), 0.11),
    ],
)
def test_the_expected_loss_follows_an_exchange_of_widths(
    dialled: Bundle, seconds: tuple[float, ...], asked: Request, loss: float
) -> None:
    table = Costs({0: 0.1, **dict(zip((4, 5, 6, 8), seconds, strict=True))}, 0.1)
    assert Router.create(dialled, asked, table).expected_loss == pytest.approx(loss)


def test_what_the_dial_does_not_reach_is_refused(dialled: Bundle, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="below the smallest one, 4"):
        Router.create(dialled, Request(fab=3.9))
    with pytest.raises(RequestError, match="leave them to the network"):
        Router.create(dialled, Request(max_loss=0.001, flat_tiles="interpolate"))
    plain = Bundle.open(write_tiny_bundle(tmp_path / "plain"))
    with pytest.raises(RequestError, match="no bit budget dial"):
        Router.create(plain, Request(fab=5))
    with pytest.raises(RequestError, match="no interpolation"):
        Router.create(plain, Request(flat_tiles="interpolate"))


def test_the_smallest_loss_includes_that_of_interpolation(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle")
    add_dial(folder)
    manifest = read_manifest(folder)
    manifest["trade_off"]["points"][-1]["loss_db"] = 0.0625
    manifest["flat_tiles"]["loss_db"] = 0.125
    write_manifest(folder, manifest)
    with pytest.raises(RequestError, match=r"max-loss 0\.18 is below the smallest one, 0\.1875"):
        Router.create(Bundle.open(folder), Request(max_loss=0.18))


def test_flat_tiles_are_interpolated_unless_the_request_speaks_against_it(dialled: Bundle) -> None:
    flat = np.full((16, 16, 3), 9, dtype=np.uint8)
    busy = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert not Router.create(dialled, Request()).needs_network(flat)
    assert Router.create(dialled, Request()).needs_network(busy)
    assert not Router.create(dialled, Request(8, flat_tiles="interpolate")).needs_network(flat)
    for request in (Request(8), Request(flat_tiles="network"), Request(max_loss=0.001)):
        assert Router.create(dialled, request).needs_network(flat)
    assert Router.create(dialled, Request(policy="paper")).needs_network(flat)
    asked = Request(flat_tiles="interpolate", policy="paper")
    assert not Router.create(dialled, asked).needs_network(flat)
