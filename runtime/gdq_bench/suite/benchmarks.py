"""All benchmarks: name -> function, as a list to read."""

from __future__ import annotations

from collections.abc import Callable

from gdq_bench.protocol import Result
from gdq_bench.suite import (
    bundle_size,
    cold_start,
    export_time,
    kernel_choice,
    litert,
    memory,
    overhead,
    seams,
    static_quantizer,
    tile_size,
    whole_picture,
    workers,
    x86_tiles,
)
from gdq_bench.suite.arm_cycles import benchmark as arm_cycles
from gdq_bench.suite.subjects import Subjects

BENCHMARKS: dict[str, Callable[[Subjects], list[Result]]] = {
    # Quick ones first, so that something is known before the long ones are over.
    "cold-start": cold_start.measure,
    "bundle-size": bundle_size.measure,
    "static-quantizer": static_quantizer.measure,
    "litert": litert.measure,
    "x86-tiles": x86_tiles.measure,
    "whole-picture": whole_picture.measure,
    "export": export_time.measure,
    "tile-size": tile_size.measure,
    "seams": seams.measure,
    "workers": workers.measure,
    "overhead": overhead.measure,
    "memory": memory.measure,
    "kernel-choice": kernel_choice.measure,
    "arm-cycles": arm_cycles.measure,
}
