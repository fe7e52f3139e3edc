from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.made_pictures import random_image
from gdq_core.fidelity import psnr
from gdq_core.resampling import resize_bicubic
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.ort import OrtEngine
from gdq_runtime.routing.request import Request
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_validate.report import CEILING, summarise
from gdq_validate.similarity import ssim
from gdq_validate.validation import Validator, seam_mask
from runtime.tiny_bundle import add_dial, read_manifest, upscale, write_manifest, write_tiny_bundle


@pytest.fixture
def validator(tmp_path: Path) -> Iterator[Validator]:
    folder = write_tiny_bundle(tmp_path / "b", tile=16, overlap=4)
    manifest = read_manifest(folder)
    manifest["network"] |= {"quantized_macs_per_pixel": 10, "float_macs_per_pixel": 1}
    write_manifest(folder, manifest)
    bundle = Bundle.open(folder)
    with closing(OrtEngine(bundle, 16)) as engine, closing(Workers(1)) as workers:
        yield Validator(bundle, engine, workers, Request(4))


def test_every_way_is_measured_against_the_truth(validator: Validator) -> None:
    low, truth = random_image(16, 28), random_image(32, 56, seed=1)
    made = validator.upscale(low, truth)
    report = validator.judge("picture", made)
    np.testing.assert_array_equal(made.routed, upscale(low, 4))
    np.testing.assert_array_equal(made.all_8_bit, upscale(low, 8))
    np.testing.assert_array_equal(made.bicubic, resize_bicubic(low, 32, 56))
    assert report.psnr_y == pytest.approx(psnr(upscale(low, 4), truth, 2))
    assert report.ssim_y == pytest.approx(ssim(upscale(low, 4), truth, 2))
    assert report.all_8_bit.psnr_y == pytest.approx(psnr(upscale(low, 8), truth, 2))
    assert report.loss_db == pytest.approx(report.all_8_bit.psnr_y - report.psnr_y)
    assert report.fab == report.network_fab == 4
    assert report.bit_widths == {4: 2}
    assert report.bitops == 2 * 16 * 16 * (10 * 8 * 4 + 1024)
    assert report.float_network is None
    assert report.torch is None
    assert report.same_decisions is None
    assert report.milliseconds_per_tile is None
    assert report.speed is None


COSTS = Costs({0: 0.01, 4: 0.04, 5: 0.05, 6: 0.08, 8: 0.08}, 0.01)


@pytest.mark.parametrize(
    ("request_", "widths", "milliseconds"),
    [
        (Request(4), {4: 2}, 40),
        # The same bundle is routed alike on all devices,
        (Request(), {6: 2}, 90),
        # unless this one is asked for its time.
        (Request(speed=1.7), {4: 2}, 40),
        (Request(speed=1), {8: 2}, 80),
    ],
)
def test_time_stands_beside_bits(
    tmp_path: Path, request_: Request, widths: dict[int, int], milliseconds: float
) -> None:
    folder = write_tiny_bundle(tmp_path / "b", tile=16, overlap=4)
    add_dial(folder)
    bundle = Bundle.open(folder)
    low = random_image(16, 28) // 4 + 140  # the predictor gives 6 bits
    with closing(OrtEngine(bundle, 16)) as engine, closing(Workers(1)) as workers:
        validator = Validator(bundle, engine, workers, request_, costs=COSTS)
        report = validator.judge("picture", validator.upscale(low, upscale(low, 5)))
    assert report.bit_widths == widths
    assert report.milliseconds_per_tile == pytest.approx(milliseconds)
    assert report.speed == pytest.approx(80 / milliseconds)


def test_tiles_are_judged_by_what_they_own(validator: Validator) -> None:
    low = random_image(16, 28)
    truth = upscale(low, 4)
    truth[:, 28:] = upscale(low, 8)[:, 28:]
    left, right = validator.judge("picture", validator.upscale(low, truth)).tiles
    # 28 columns in tiles of 16 that share 4: the cut is at 14.
    assert (left.psnr_y, right.psnr_y_all_8_bit) == (CEILING, CEILING)
    assert right.psnr_y < CEILING
    assert left.psnr_y_all_8_bit < CEILING


def test_the_network_itself_as_reference(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "b", tile=16, overlap=4))

    class Reference(OrtEngine):
        def run(self, bit_width: int, tile: np.ndarray) -> np.ndarray:
            return upscale(tile, 0 if bit_width == 32 else bit_width)

    low, truth = random_image(16, 28), random_image(32, 56, seed=1)
    with closing(OrtEngine(bundle, 16)) as engine, closing(Workers(1)) as workers:
        reference = Reference(bundle, 16)
        validator = Validator(bundle, engine, workers, Request(policy="paper"), reference)
        report = validator.judge("picture", validator.upscale(low, truth))
    assert report.same_decisions == 1
    assert report.torch is not None
    assert report.torch.psnr_y == report.psnr_y
    assert report.float_network is not None
    assert report.float_network.psnr_y == pytest.approx(psnr(upscale(low, 0), truth, 2))


def test_seams_are_where_tiles_meet() -> None:
    plan = TilePlan(28, 16, 16, 4)
    mask = seam_mask(plan, 2)
    assert mask.shape == (32, 56)
    columns = np.zeros(56, dtype=bool)
    columns[24:32] = True
    np.testing.assert_array_equal(mask, np.broadcast_to(columns, (32, 56)))
    assert not seam_mask(TilePlan(16, 16, 16, 4), 2).any()


def test_a_set_is_the_mean_of_its_pictures(validator: Validator) -> None:
    low = random_image(16, 28)
    images = [
        validator.judge(name, validator.upscale(low, random_image(32, 56, seed=seed)))
        for name, seed in (("a", 1), ("b", 2))
    ]
    report = summarise(
        images, bundle="b", data="d", network="n", scale=2, policy="uniform", engine="e",
        accelerator="CPU",
    )  # fmt: skip
    assert report.psnr_y == pytest.approx((images[0].psnr_y + images[1].psnr_y) / 2)
    assert report.bicubic.ssim_y == pytest.approx(
        (images[0].bicubic.ssim_y + images[1].bicubic.ssim_y) / 2
    )
    assert report.bit_widths == {4: 4}
    assert [image.name for image in report.images] == ["a", "b"]
