from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.errors import BundleError
from gdq_runtime.router import Router
from runtime.tiny_bundle import write_tiny_bundle


def prediction(bit_width: int) -> Prediction:
    return Prediction(np.zeros(3, dtype=np.float32), 2.0, bit_width)


def test_the_prediction_is_followed(tmp_path: Path) -> None:
    router = Router.create(Bundle.open(write_tiny_bundle(tmp_path / "b")), "auto")
    assert [router.route(prediction(width)) for width in (4, 5, 6, 8)] == [4, 5, 6, 8]
    assert router.forced is None


@pytest.mark.parametrize(
    ("available", "routes"), [((4, 8), [4, 8, 8, 8]), ((5,), [5, 5, 5, 5]), ((4, 6), [4, 6, 6, 6])]
)
def test_a_missing_width_is_rounded_up_if_possible(
    available: tuple[int, ...], routes: list[int]
) -> None:
    router = Router(available, None)
    assert [router.route(prediction(width)) for width in (4, 5, 6, 8)] == routes


def test_a_wish_must_be_in_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "b", bit_widths=(4, 8)))
    assert Router.create(bundle, 8).forced == 8
    with pytest.raises(BundleError, match="no subgraph of 6 bits"):
        Router.create(bundle, 6)
