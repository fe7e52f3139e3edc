from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.errors import BundleError
from gdq_exporter import ExportError, ExportResult
from gdq_exporter.checks.agreement import check_agreement
from gdq_exporter.targets.registry import get_target
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.litert import LitertEngine
from gdq_validate.agreement import ACROSS_ROUNDINGS, Agreement, read_picture


class Off:
    """An engine, some of its first samples off by an amount."""

    name = "off"
    accelerator_asked = accelerator_used = "CPU"

    def __init__(self, engine: Engine, share: float, amount: int) -> None:
        self._engine, self._share, self._amount = engine, share, amount
        self.predict, self.close = engine.predict, engine.close
        self.sense = engine.sense

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = self._engine.run(bit_width, tile)
        count = round(self._share * picture.size)
        flat = picture.reshape(-1).copy()
        # Away from the nearer end, so that nothing saturates.
        flat[:count] = np.where(
            flat[:count] < 128, flat[:count] + self._amount, flat[:count] - self._amount
        )
        return flat.reshape(picture.shape)


@pytest.fixture(scope="module")
def bundle(exported: ExportResult) -> Bundle:
    return Bundle.open(exported.bundle)


def check(bundle: Bundle, engine: Engine, target: Format = "tflite") -> Agreement:
    """Against the golden tiles of ONNX."""
    targets = get_target(target), get_target("onnx")
    return check_agreement(bundle, bundle.manifest.golden, engine, *targets)


def test_the_other_engine_agrees(bundle: Bundle) -> None:
    result = check(bundle, LitertEngine(bundle))
    outputs = [path for one in bundle.manifest.golden for path in one.outputs["onnx"].values()]
    assert result.samples == sum(read_picture(bundle.file(path)).size for path in outputs)
    assert result.equal > 0.97
    assert result.beyond_one <= 1e-3


def test_differences_are_counted_and_too_many_fail(bundle: Bundle) -> None:
    engine = LitertEngine(bundle)
    by_one = check(bundle, Off(engine, 0.5, 1))
    assert 0.45 < by_one.equal < 0.55
    few = check(bundle, Off(engine, 5e-4, 7))
    assert few.largest >= 6
    assert 3e-4 < few.beyond_one < 1e-3
    with pytest.raises(ExportError, match=r"off differs from the golden tiles by more than 1 on"):
        check(bundle, Off(engine, 0.01, 3))


def test_a_target_that_rounds_in_its_own_way_is_held_too(bundle: Bundle) -> None:
    engine = LitertEngine(bundle)
    assert check(bundle, Off(engine, 0.01, 3), "engine").bounds == ACROSS_ROUNDINGS
    with pytest.raises(ExportError, match=r"off differs from the golden tiles by more than 4 on"):
        check(bundle, Off(engine, 0.01, 99), "engine")


def test_a_missing_picture_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot read the golden tile"):
        read_picture(tmp_path / "nothing.png")
