from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_bench.suite import seams
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import SMALL
from gdq_runtime.tiles.tiling import TilePlan
from runtime.tiny_bundle import write_tiny_bundle


class TinySubjects(Subjects):
    """Networks that look at one pixel at a time, so that their tiles have no seams."""

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def mobile_bundle(self) -> Path:
        return self.folder / "small"


@pytest.fixture
def subjects(tmp_path: Path) -> Subjects:
    write_tiny_bundle(tmp_path / "bundle", tile=48, overlap=6)
    write_tiny_bundle(tmp_path / "small", tile=48, overlap=6)
    return TinySubjects(tmp_path / "none", tmp_path, quick=True)


def test_networks_that_look_at_one_pixel_have_no_seams(subjects: Subjects) -> None:
    alone, between = seams.measure(subjects)
    assert alone.value == 1
    assert between.value == 1
    assert between.facts["tiles"] == 16


def test_a_tile_that_is_put_down_elsewhere_is_seen(
    subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        seams, "_inside", lambda span, scale: slice(0, (span.own_stop - span.own_start) * scale)
    )
    _, between = seams.measure(subjects)
    assert between.value > 1.05
    assert not between.is_reached


def test_every_border_lies_between_two_networks() -> None:
    plan = TilePlan(144, 144, 32, 6)
    walked = [route for route, *_ in seams._walk(plan, 2, [8, SMALL + 8])]
    routes = np.array(walked).reshape(plan.shape)
    assert (routes[1:] != routes[:-1]).all()
    assert (routes[:, 1:] != routes[:, :-1]).all()
