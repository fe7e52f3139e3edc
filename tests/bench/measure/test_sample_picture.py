from __future__ import annotations

import sys

import numpy as np
import pytest

from gdq_bench.measure.sample_picture import mosaic, mosaic_rows
from gdq_core.errors import RequestError


@pytest.mark.parametrize(("width", "height"), [(96, 96), (2600, 310), (64, 700)])
def test_any_size(width: int, height: int) -> None:
    picture = mosaic(width, height)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


def test_rows_of_photos_differ() -> None:
    first, second, *_ = mosaic_rows(800, 700)
    assert not np.array_equal(first[:50], second[:50])


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(RequestError, match="pip install scikit-image, or name pictures"):
        mosaic(96, 96)
