from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.made_up import CLUSTERS
from bench.targets.phone.printed import end_line, engine_lines, printed, round_line
from gdq_bench.native.lines import Line
from gdq_bench.protocol import Graph, PictureSize
from gdq_bench.targets.phone.inputs import PhoneInputs
from gdq_bench.targets.phone.journal import Journal, Part
from gdq_bench.targets.phone.summary import (
    find_held,
    summarise_engines,
    summarise_pictures,
    summarise_tiles,
)
from gdq_runtime.bundle.manifest import Manifest
from gdq_runtime.bundle.reader import Bundle
from runtime.tiny_bundle import write_tiny_bundle

LITTLE, BIG = CLUSTERS
MILLISECOND = 1_000_000


def journal_of(*lines: Line, cluster: str = "big", part: Part = "tiles") -> Journal:
    """One batch that came to its end."""
    journal = Journal(None)
    add(journal, *lines, cluster=cluster, part=part)
    return journal


def add(journal: Journal, *lines: Line, cluster: str = "big", part: Part = "tiles") -> None:
    journal.begin(cluster, part)
    for line in printed(*lines, end_line(len(lines))):
        journal.add_line(line)
    journal.end()


def took(number: int, milliseconds: float, **changes: Any) -> Line:
    times = {"wall_ns": int(milliseconds * MILLISECOND), "cpu_ns": int(milliseconds * MILLISECOND)}
    return round_line(number, **times | changes)


def test_rounds_of_all_batches_become_one_row() -> None:
    journal = journal_of(took(0, 2, bits=4), took(0, 4, bits=8), took(1, 3, bits=4))
    add(journal, took(0, 5, bits=4))
    add(journal, took(0, 9, bits=4), cluster="little")
    four, eight, slow = summarise_tiles(journal, [BIG, LITTLE])
    assert (four.cluster, four.engine, four.bits) == ("big", "gdq", 4)
    assert [one.wall for one in four.rounds] == pytest.approx([2e-3, 3e-3, 5e-3])
    assert four.wall.median == pytest.approx(3e-3)
    assert (eight.bits, slow.cluster) == (8, "little")
    assert four.ratio is None


def test_ratios_are_of_onnxruntime_on_the_same_cluster() -> None:
    journal = journal_of(took(0, 2, bits=8), took(0, 4, bits=8, engine="onnxruntime"))
    ours, theirs = summarise_tiles(journal, [BIG])
    assert ours.ratio is not None
    assert theirs.ratio is not None
    assert (ours.ratio.median, theirs.ratio.median) == pytest.approx((0.5, 1))


def test_pictures_have_speed_and_bits() -> None:
    bit_map = np.array([[0, 4], [8, 4]], np.uint8)
    inputs = PhoneInputs({}, (), (4, 8), PictureSize(name="a", width=2000, height=1000), bit_map)
    journal = journal_of(
        took(0, 500), took(0, 250, workers=2), took(0, 800, bits=8), part="pictures"
    )
    routed, crew, eight = summarise_pictures(journal, [BIG], inputs)
    assert routed.megapixels_per_second == pytest.approx(4)
    assert (routed.fab, routed.network_fab) == pytest.approx((4, 16 / 3))
    assert (eight.fab, eight.network_fab) == (8, 8)
    assert routed.milliseconds_per_tile == pytest.approx(125)
    assert crew.speedup is not None
    assert crew.speedup.median == pytest.approx(2)
    assert routed.psnr_y is None


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """With two golden tiles, of 4 and 8 bits."""
    write_tiny_bundle(tmp_path / "bundle")
    made = Bundle.open(tmp_path / "bundle").manifest
    tiles = [made_tile(width) for width in (4, 8)]
    return made.model_copy(update={"golden": tiles})


def made_tile(width: int) -> Any:
    from gdq_runtime.bundle.manifest import GoldenTile

    return GoldenTile.model_construct(
        tile="t.png", logits=[0, 0, 0], entropy=1.0, bit_width=width, outputs={}
    )


def test_engines_are_held_to_the_golden_tiles(manifest: Manifest) -> None:
    lines = engine_lines(bit_widths=[4, 8])
    (facts,) = summarise_engines(journal_of(*lines), manifest)
    assert (facts.name, facts.accelerator_used) == ("gdq", "cpu, dotprod")
    assert facts.golden.equal == pytest.approx(29 / 40)
    assert facts.golden.beyond_one == pytest.approx(3 / 40)
    assert (facts.golden.largest, facts.golden.same_bit_width) == (3, 2)
    assert facts.golden.holds


@pytest.mark.parametrize("judged", [{"holds": False, "bit_widths": [4, 8]}, {"bit_widths": [4, 4]}])
def test_an_engine_that_was_wrong_once_is_wrong(manifest: Manifest, judged: dict[str, Any]) -> None:
    journal = journal_of(*engine_lines(bit_widths=[4, 8]))
    add(journal, *engine_lines(**judged))
    add(journal, *engine_lines(bit_widths=[4, 8]))
    (facts,) = summarise_engines(journal, manifest)
    assert not facts.golden.holds


def test_peers_have_no_predictor(manifest: Manifest) -> None:
    (facts,) = summarise_engines(journal_of(*engine_lines("onnxruntime")), manifest)
    assert facts.golden.holds
    assert facts.accelerator_used == "cpu"


def test_graphs_of_peers_are_told_and_our_own_are_not(manifest: Manifest) -> None:
    counted = {"bits": 4, "nodes": 103, "accelerated_nodes": 61, "partitions": 9}
    peer = engine_lines("tflite", graphs=[counted | {"kernel": None}])
    ours = engine_lines(graphs=[dict.fromkeys(counted) | {"bits": 4, "kernel": "k44_int8"}])
    journal = journal_of(*engine_lines(bit_widths=[4, 8]), *peer)
    first, second = summarise_engines(journal, manifest)
    assert (first.graphs, second.graphs) == ([], [Graph.model_validate(counted)])
    (own,) = summarise_engines(journal_of(*ours), manifest)
    assert own.graphs == []


def test_where_rounds_ran() -> None:
    journal = journal_of(
        took(0, 1, cores_before=[6], cores_after=[7], khz=[2850000]),
        took(1, 1, cores_before=[7], cores_after=[7], khz=[None]),
    )
    add(journal, took(0, 1, cores_before=[6, 7], cores_after=[6, 7], khz=[1, 2]), part="pictures")
    (held,) = find_held(journal, [BIG])
    assert held.cores == {6, 7}
    assert held.migrated == 1
    assert list(held.frequencies) == [2850000, 1, 2]
