"""A picture of 2048x1152 by our engine against the int8 of ONNX Runtime and OpenVINO."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gdq_bench.measure.candidates import (
    ONNXRUNTIME,
    OPENVINO,
    Candidate,
    open_candidates,
)
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.pictures import measure_pictures
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import Facts, PictureTimes, Result, name_bits
from gdq_bench.suite.subjects import Subjects
from gdq_core.cli.errors import say
from gdq_core.pictures.encode import save_picture
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.ground_truth import GroundTruth

OWN = "gdq"
BARS = {ONNXRUNTIME: 2.4, OPENVINO: 1.9}
"""Engine -> how many times as fast ours has to be."""
AS_GOOD = 0.005
"""Decibels that ours may lack and still be called as good: rounding, not bits."""


def measure(subjects: Subjects) -> list[Result]:
    """Upscale the picture in turn on one processor, with tiling, predictor and stitching."""
    bundle, size = Bundle.open(subjects.bundle), (512, 288) if subjects.quick else (2048, 1152)
    engines = ",".join((OWN, *BARS))
    with (
        tempfile.TemporaryDirectory() as name,
        pinned(1),
        open_candidates(bundle, engines, Path(name), say) as candidates,
    ):
        path = Path(name) / "photos.png"
        save_picture(mosaic(*size), path, overwrite=False)
        truth = GroundTruth(path.stem, path, None, bundle.manifest.network.scale)
        taking_part = [_without_rest(candidate, bundle) for candidate in candidates]
        rounds = 1 if subjects.quick else 3
        _, pictures = measure_pictures(
            bundle, taking_part, [truth], rounds, lambda *_: None, bundle.bit_widths
        )
    return [judge(engine, pictures) for engine in BARS]


def judge(engine: str, pictures: Sequence[PictureTimes]) -> Result:
    """Compare another engine's 8 bits for all tiles with our fastest way that is as good.

    Args:
        engine: the other one.
        pictures: what was measured of both.

    Returns:
        How many times as fast ours is; 0 if it is as good in no way.

    """
    largest = max(one.bits for one in pictures if one.bits is not None)
    theirs = next(one for one in pictures if (one.engine, one.bits) == (engine, largest))
    as_good = [
        one for one in pictures if one.engine == OWN and _quality(one) >= _quality(theirs) - AS_GOOD
    ]
    if not as_good:
        return _result(engine, 0, _facts(engine, pictures))
    best = min(as_good, key=lambda one: one.cpu.median)
    facts: Facts = {"ours": name_bits(best.bits), **_facts(engine, pictures)}
    return _result(engine, theirs.cpu.median / best.cpu.median, facts)


def _result(engine: str, speed: float, facts: Facts) -> Result:
    return Result(
        name=f"whole picture, as good as {engine}'s int8: times as fast",
        value=speed,
        unit="ratio",
        bar=BARS[engine],
        at_least=True,
        facts=facts,
    )


def _without_rest(candidate: Candidate, bundle: Bundle) -> Candidate:
    """Leave out what is slow and not compared: others' narrow widths, the network in float."""
    widths = bundle.bit_widths if candidate.engine.name == OWN else bundle.bit_widths[-1:]
    return replace(candidate, widths=widths)


def _facts(engine: str, pictures: Sequence[PictureTimes]) -> Facts:
    facts: Facts = {}
    for one in pictures:
        if one.engine in (OWN, engine):
            name = f"{one.engine}, {name_bits(one.bits)}"
            facts |= {
                f"{name}: cpu, s": round(one.cpu.median, 3),
                f"{name}: PSNR, dB": round(_quality(one), 3),
                f"{name}: FAB": round(one.fab, 2),
            }
    return facts


def _quality(picture: PictureTimes) -> float:
    assert picture.psnr_y is not None, "on this computer every picture is judged"
    return picture.psnr_y
