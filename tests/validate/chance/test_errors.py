from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.made_pictures import random_image
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine
from gdq_runtime.routing.request import Request
from gdq_runtime.tiles.workers import Workers
from gdq_validate.chance.errors import measure_errors
from gdq_validate.validation import Validator
from runtime.tiny_bundle import add_dial, upscale, write_tiny_bundle


@pytest.mark.parametrize("shape", [(40, 28), (33, 61), (9, 70)])
def test_the_loss_of_a_bit_map_is_that_of_the_picture(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    folder = write_tiny_bundle(tmp_path / "b", tile=16, overlap=4)
    add_dial(folder)
    bundle = Bundle.open(folder)
    # Noise, dark on the left and bright on the right, and one flat corner that is interpolated.
    low = random_image(*shape) // 2
    low[:, shape[1] // 2 :] += 120
    low[:, -16:] = 90
    truth = upscale(low, 7)
    with closing(OrtEngine(bundle, 16)) as engine, closing(Workers(1)) as workers:
        validator = Validator(bundle, engine, workers, Request(fab=6))
        made = validator.upscale(low, truth)
        errors = measure_errors(bundle, engine, workers, low, truth)
    assert len(np.unique(made.bit_map)) > 1
    report = validator.judge("picture", made)
    assert errors.loss(errors.of_bit_map(made.bit_map)) == pytest.approx(report.loss_db)
    assert errors.routes == (0, 4, 5, 6, 8)
