from __future__ import annotations

import pytest

from bench.made_up import tile
from gdq_bench.report.tile_bars import lay_out_bars


def test_a_group_for_each_cluster_with_a_scale_of_its_own() -> None:
    tiles = [
        tile(4, 0.01, cluster="little", engine="gdq"),
        tile(8, 0.02, cluster="little", engine="gdq"),
        tile(8, 0.04, cluster="little", engine="litert"),
        tile(8, 0.01, cluster="big", engine="gdq", scatter=0.2),
    ]
    bars = lay_out_bars(tiles)
    assert list(bars) == ["little", "big"]
    assert [bar.share for bar in bars["little"]] == pytest.approx([0.25, 0.5, 1])
    assert [bar.engine for bar in bars["little"]] == [0, 0, 1]
    (scattered,) = bars["big"]
    assert scattered.name == "gdq, 8 bits"
    assert scattered.milliseconds == pytest.approx(10)
    assert scattered.lower < scattered.share < scattered.upper == 1


def test_no_tiles_no_bars() -> None:
    assert lay_out_bars([]) == {}
