"""Memory that each graph takes in each engine, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from gdq_exporter.checks.memory_probe import STATUS
from gdq_exporter.errors import ExportError
from gdq_runtime.bundle.reader import Bundle

_PROBE = "gdq_exporter.checks.memory_probe"


def is_measurable() -> bool:
    """Tell whether a process can learn its largest resident set on this system."""
    return STATUS.exists()


def measure_memory(bundle: Bundle, engines: Sequence[str]) -> dict[str, dict[str, int]]:
    """Open every graph alone, in a fresh process, and run one tile on one thread.

    The number is how far the peak of the resident set rises above that of the process with the
    engine's library loaded: weights, read or mapped; the engine's own forms of them; tensors; and
    what the library sets up once. It differs between machines and versions of a library.

    Forks of one process would take a quarter of the time, but a fork counts pages of the library
    that are loaded already again: 2 to 8 MB too much.

    Args:
        bundle: whose graphs to measure.
        engines: names of the engines to measure them in.

    Returns:
        Bytes per engine and graph; subgraphs are named ``bits4`` to ``bits8``.

    Raises:
        ExportError: a graph does not run.
    """
    widths = {f"bits{width}": width for width in bundle.bit_widths}
    return {
        engine: {
            name: _measure(bundle, engine, width)
            for name, width in ({"predictor": None} | widths).items()
        }
        for engine in engines
    }


def _measure(bundle: Bundle, engine: str, bit_width: int | None) -> int:
    command = [sys.executable, "-m", _PROBE, str(bundle.path), engine]
    command += [] if bit_width is None else [str(bit_width)]
    # A bundle under construction has no manifest file yet.
    manifest = bundle.manifest.model_dump_json()
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, check=False)
    if done.returncode:
        # A process that the system killed, for lack of memory say, has printed nothing.
        *_, reason = [f"exit code {done.returncode}", *done.stderr.strip().splitlines()]
        raise ExportError(f"measuring memory on {engine} failed: {reason[:300]}")
    return int(done.stdout)
