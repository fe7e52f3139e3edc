from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.gdq_run import run
from gdq_bench.native.inputs import write_plan, write_tiles
from gdq_bench.native.lines import JudgedLine
from gdq_core.errors import BundleError, RequestError
from gdq_runtime import Bundle
from gdq_runtime.tiles.tiling import Policy, TilePlan
from runtime.tiny_bundle import write_tiny_bundle


def test_gdq_run_takes_a_bundle_s_golden_tiles(bundle: Bundle, tmp_path: Path) -> None:
    write_tiles(bundle, tmp_path)
    done = run(bundle.file("engine/model.gdq"), "--tiles", tmp_path, "--rounds", "1")
    assert (done.status, len(done.rounds)) == (0, len(bundle.bit_widths))
    (judged,) = (line for line in done.lines if isinstance(line, JudgedLine))
    golden = bundle.manifest.golden
    decided = judged.sensitivities if judged.bit_widths is None else judged.bit_widths
    assert decided == [one.sensitivity or one.bit_width for one in golden]


def test_every_format_has_its_bounds(bundle: Bundle, tmp_path: Path) -> None:
    write_tiles(bundle, tmp_path)
    lines = (tmp_path / "bounds.txt").read_text().splitlines()
    assert {line.split()[0] for line in lines} == set(bundle.manifest.formats)
    for form in bundle.manifest.formats:
        assert list(tmp_path.glob(f"*_bits8_{form}.ppm"))


def test_a_bundle_without_golden_tiles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no golden tiles"):
        write_tiles(Bundle.open(write_tiny_bundle(tmp_path / "tiny")), tmp_path)


@pytest.mark.parametrize(("side", "policy"), [(15, "uniform"), (40, "paper")])
def test_pictures_that_are_cut_otherwise_are_refused(
    side: int, policy: Policy, tmp_path: Path
) -> None:
    plan = TilePlan(side, side, 16, 4, policy)
    with pytest.raises(RequestError, match=f"not {side}x{side} with policy {policy}"):
        write_plan(
            np.zeros((side, side, 3), np.uint8), plan, np.zeros(plan.shape, np.uint8), tmp_path
        )
