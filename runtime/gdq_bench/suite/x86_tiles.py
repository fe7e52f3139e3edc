"""One tile by our engine's kernels for x86, beside the int8 of ONNX Runtime and OpenVINO."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gdq_bench.measure.candidates import ONNXRUNTIME, OPENVINO, open_candidates
from gdq_bench.measure.clock import Times, interleave, ratio
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import BASELINE_BITS, Facts, Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.cli.errors import say
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.native_library import NativeModel, NativeRunner, load_library

_TILE = 96
_LARGEST = BIT_WIDTHS[-1]


@dataclass(frozen=True)
class Bars:
    """What one network may cost on one instruction set.

    Attributes:
        shares: bit-width -> processor time over that of ONNX Runtime's int8, at most.
        ladder: that of 8 bits over that of 4, at least.

    """

    shares: Mapping[int, float]
    ladder: float


BARS = {
    # (network, instruction set); those of processors that start two vpdpbusd a cycle
    ("baseline", "avx512vnni"): Bars({4: 0.28, 8: 0.46}, 1.4),
    ("baseline", "avxvnni"): Bars({4: 0.60}, 1.4),
    ("mobile", "avx512vnni"): Bars({4: 0.40}, 1.3),
}
"""ONNX Runtime always runs on the best instruction set of the processor, AVX-512 VNNI."""


def measure(subjects: Subjects) -> list[Result]:
    """Time everything in turn on one processor; nothing where it lacks an instruction set."""
    here = load_library().instruction_sets()
    if missing := {isa for _, isa in BARS if not here.get(isa)}:
        say(f"skipped: this processor has no {' and no '.join(sorted(missing))}")
        return []
    results = []
    bundles = {"baseline": subjects.bundle, "mobile": subjects.mobile_bundle}
    for network, bundle in bundles.items():
        times = _time(Bundle.open(bundle), rounds=2 if subjects.quick else 40)
        for (of_network, isa), bars in BARS.items():
            if of_network == network:
                results += judge(network, isa, bars, times)
    return results


def judge(network: str, isa: str, bars: Bars, times: Mapping[str, Times]) -> list[Result]:
    """Hold what was measured against the bars.

    Args:
        network: its name.
        isa: the instruction set.
        bars: of both.
        times: of one tile, by "engine or instruction set, bits".

    """
    place, baseline = f"{network} tile by {isa}", times[f"{ONNXRUNTIME}, {BASELINE_BITS}"]
    shares = [
        Result(
            name=f"{place}, {bits} bits against ONNX Runtime's int8",
            value=ratio(times[f"{isa}, {bits}"], baseline, "cpu").median,
            unit="ratio",
            bar=bar,
        )
        for bits, bar in bars.shares.items()
    ]
    ladder = Result(
        name=f"{place}, 8 bits over 4",
        value=ratio(times[f"{isa}, {_LARGEST}"], times[f"{isa}, {BIT_WIDTHS[0]}"], "cpu").median,
        unit="ratio",
        bar=bars.ladder,
        at_least=True,
        facts=_facts(isa, times),
    )
    return [*shares, ladder]


def _facts(isa: str, times: Mapping[str, Times]) -> Facts:
    """Return the times of this instruction set and of the other engines."""
    facts: Facts = {}
    for name, measured in times.items():
        if name.partition(",")[0] in (isa, ONNXRUNTIME, OPENVINO):
            facts |= facts_of(name, measured)
    return facts


def _time(bundle: Bundle, rounds: int) -> dict[str, Times]:
    tile = mosaic(_TILE, _TILE)
    runs: dict[str, Callable[[], object]] = {}
    for isa in dict.fromkeys(isa for _, isa in BARS):
        runner = _runner(bundle, isa)
        for bits in BIT_WIDTHS:
            runs[f"{isa}, {bits}"] = partial(runner.run, bits, tile)
    others = f"{ONNXRUNTIME},{OPENVINO}"
    with (
        pinned(1),
        tempfile.TemporaryDirectory() as folder,
        open_candidates(bundle, others, Path(folder), say) as opened,
    ):
        for one in opened:
            runs[f"{one.engine.name}, {_LARGEST}"] = partial(one.engine.run, _LARGEST, tile)
        return interleave(runs, rounds)


def _runner(bundle: Bundle, isa: str) -> NativeRunner:
    model = bundle.file(str(bundle.manifest.predictor.engine)).read_bytes()
    return NativeRunner(NativeModel(load_library(), model, isa), _TILE, _TILE)
