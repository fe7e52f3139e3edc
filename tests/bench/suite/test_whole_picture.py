from __future__ import annotations

import pytest

from gdq_bench.measure.statistics import spread_of
from gdq_bench.protocol import PictureTimes
from gdq_bench.suite.whole_picture import judge


def picture(engine: str, bits: int | None, seconds: float, psnr: float) -> PictureTimes:
    spread = spread_of([seconds])
    return PictureTimes(
        engine=engine, bits=bits, wall=spread, cpu=spread, ratio=None, workers=1,
        megapixels_per_second=1, fab=bits or 5, network_fab=bits or 5, psnr_y=psnr, loss_db=None,
        milliseconds_per_tile=1, speedup=None,
    )  # fmt: skip


THEIRS = [picture("onnxruntime", None, 5, 36.0), picture("onnxruntime", 8, 6, 36.1)]


@pytest.mark.parametrize(
    ("routed", "at_8", "speed", "ours"),
    [
        (36.0949, 36.1, 2.0, "8 bits"),  # the routed picture is not as good
        (36.0951, 36.1, 6.0, "routed"),
        (36.0, 36.09, 0, None),
    ],
)
def test_what_is_not_as_good_is_not_compared(
    routed: float, at_8: float, speed: float, ours: str | None
) -> None:
    pictures = [*THEIRS, picture("gdq", None, 1, routed), picture("gdq", 8, 3, at_8)]
    result = judge("onnxruntime", pictures)
    assert result.value == pytest.approx(speed)
    assert result.facts.get("ours") == ours
