from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_bench.measure.candidates import Candidate
from gdq_bench.measure.clock import Times
from gdq_bench.measure.machine import processors
from gdq_bench.measure.pictures import Seen, Way, measure_pictures, summarise_pictures
from gdq_bench.protocol import PictureSize, PictureTimes
from gdq_core.bit_widths import FLOAT
from gdq_core.fidelity import psnr
from gdq_runtime import Upscaler
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.ground_truth import list_ground_truth


@pytest.fixture(scope="module")
def measured(
    bundle: Bundle, candidates: list[Candidate], photos: Path
) -> tuple[list[PictureSize], list[PictureTimes]]:
    return measure_pictures(bundle, candidates, list_ground_truth(photos, 2), 1, lambda *_: None)


def test_all_ways_of_every_engine(
    measured: tuple[list[PictureSize], list[PictureTimes]],
) -> None:
    _, pictures = measured
    routed = [(None, count) for count in (1, 2) if count <= len(processors())]
    expected = {
        "onnxruntime": [*routed, (4, 1), (8, 1), (FLOAT, 1)],
        "litert": [*routed, (4, 1), (8, 1)],
    }
    for name, ways in expected.items():
        assert [(one.bits, one.workers) for one in pictures if one.engine == name] == ways
    assert all((one.speedup is None) == (one.workers == 1) for one in pictures)


def test_figures_are_those_of_the_runtime(
    measured: tuple[list[PictureSize], list[PictureTimes]], bundle: Bundle, photos: Path
) -> None:
    sizes, pictures = measured
    assert sizes == [
        PictureSize(name="a", width=120, height=100), PictureSize(name="b", width=130, height=70)
    ]  # fmt: skip
    loaded = [truth.load() for truth in list_ground_truth(photos, 2)]
    with Upscaler(bundle, engine="onnxruntime", threads=1) as upscaler:
        results = [upscaler(low) for low, _ in loaded]
        all_4 = [upscaler(low, bits=4) for low, _ in loaded]
    for made, bits in ((results, None), (all_4, 4)):
        (point,) = [
            one for one in pictures
            if (one.engine, one.bits, one.workers) == ("onnxruntime", bits, 1)
        ]  # fmt: skip
        assert point.fab == pytest.approx(np.mean([result.fab for result in made]))
        quality = [
            psnr(result.image, high, 2) for result, (_, high) in zip(made, loaded, strict=True)
        ]
        assert point.psnr_y == pytest.approx(np.mean(quality))


def test_speed_ratio_and_speedup() -> None:
    baseline, one, two = Way("onnxruntime", 8), Way("fast", None), Way("fast", None, 2)
    times = {
        baseline: Times(wall=[4], cpu=[4]),
        one: Times(wall=[2], cpu=[2]),
        two: Times(wall=[1.25], cpu=[2.5]),
    }
    seen = {way: [Seen(4, 5, 30, 100), Seen(6, 7, 40, 300)] for way in times}
    seen[Way("fast", 8)] = [Seen(8, 8, 36, 100), Seen(8, 8, 40, 300)]
    times[Way("fast", 8)] = Times(wall=[3], cpu=[3])
    sizes = [PictureSize(name=name, width=1000, height=1000) for name in "ab"]
    _, single, double, best = summarise_pictures(times, seen, sizes)
    assert (single.megapixels_per_second, double.megapixels_per_second) == (1, 1.6)
    assert (single.fab, single.network_fab, single.psnr_y) == (5, 6, 35)
    assert single.ratio is not None
    assert single.ratio.median == 0.5
    assert single.speedup is None
    assert double.speedup is not None
    assert double.speedup.median == 1.6
    assert (single.loss_db, double.loss_db, best.loss_db) == (3, 3, 0)
    assert (single.milliseconds_per_tile, double.milliseconds_per_tile) == (5, 6.25)
