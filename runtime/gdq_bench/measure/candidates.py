"""Who takes part: every engine of the runtime, OpenVINO, and the network in float."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gdq_core.bit_widths import FLOAT
from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.registry import ENGINES, engine_names, open_engine
from gdq_validate.agreement import Agreement, prove

ALL = "all"
OPENVINO, ONNXRUNTIME = "openvino", "onnxruntime"
_WITH_FLOAT = (ONNXRUNTIME, OPENVINO)
"""Engines that read ONNX, and so also the float network made from the bundle's graph."""

Tell = Callable[[str], None]
"""Called with a sentence about what is left out."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An engine that runs here.

    Attributes:
        engine: open on the bundle.
        widths: what it can be asked to run, ascending; the last may be ``FLOAT``.
        agreement: how far it is from the bundle's golden tiles.

    """

    engine: Engine
    widths: tuple[int, ...]
    agreement: Agreement


def candidate_names() -> tuple[str, ...]:
    """Return the names of all engines, whether or not their library is installed."""
    return (*engine_names(), OPENVINO)


@contextmanager
def open_candidates(
    bundle: Bundle, wanted: str, folder: Path, tell: Tell
) -> Iterator[list[Candidate]]:
    """Open engines for a block, and run the bundle's golden tiles on each.

    Args:
        bundle: what they are to run.
        wanted: "all", which leaves out engines that cannot run here, or comma-separated names.
        folder: where to write the float network.
        tell: called for everything that is left out.

    Raises:
        EngineError: an engine is unknown; a named engine is not installed or refuses a graph; or no
            engine is left.
        BundleError: the bundle has no graphs for a named engine, or no golden tiles.

    """
    if not bundle.manifest.golden:
        raise BundleError(f"{bundle.path} holds no golden tiles to measure with: export it again")
    names = _parse(wanted)
    float_network = _make_float_network(bundle, names, folder / "float.onnx", tell)
    opened: list[Candidate] = []
    with ExitStack() as stack:
        for name in names:
            try:
                candidate = _open(name, bundle, float_network)
            except (EngineError, BundleError) as error:
                if wanted != ALL:
                    raise
                tell(f"{name} is left out: {error}")
                continue
            stack.callback(candidate.engine.close)
            opened.append(candidate)
            if float_network is not None and FLOAT not in candidate.widths:
                tell(f"{name} runs no network in float: only ONNX graphs are turned back into one")
        if not opened:
            raise EngineError(f"no engine here runs {bundle.path}")
        yield opened


def _parse(wanted: str) -> list[str]:
    names = list(candidate_names()) if wanted == ALL else list(dict.fromkeys(wanted.split(",")))
    for name in names:
        if name not in candidate_names():
            raise EngineError(
                f"unknown engine {name!r}; choose one of {', '.join(candidate_names())}"
            )
    return names


def _open(name: str, bundle: Bundle, float_network: Path | None) -> Candidate:
    has_float = float_network is not None and name in _WITH_FLOAT
    engine = _open_engine(name, bundle, float_network)
    try:
        agreement = prove(bundle, engine, "onnx" if name == OPENVINO else ENGINES[name].reads)
    except BaseException:
        engine.close()
        raise
    widths = (*bundle.bit_widths, *([FLOAT] if has_float else []))
    return Candidate(engine, widths, agreement)


def _open_engine(name: str, bundle: Bundle, float_network: Path | None) -> Engine:
    tile_size = bundle.manifest.tiling.size
    if name == OPENVINO:
        try:
            from gdq_bench.measure.engines.openvino import OpenvinoEngine
        except ImportError as error:
            raise EngineError(
                f"engine {name!r} needs the package openvino, which cannot be imported ({error}): "
                "pip install openvino"
            ) from error
        return OpenvinoEngine(bundle, tile_size, float_network)
    if name == ONNXRUNTIME and float_network is not None:
        from gdq_bench.measure.engines.ort_float import OrtFloatEngine

        return OrtFloatEngine(bundle, tile_size, float_network)
    return open_engine(name, bundle, tile_size)


def _make_float_network(bundle: Bundle, names: list[str], target: Path, tell: Tell) -> Path | None:
    """Write the network in float if an engine runs it and the bundle has what it is made of."""
    graph = bundle.subgraph(bundle.bit_widths[-1]).onnx
    if graph is None or not set(names).intersection(_WITH_FLOAT):
        return None
    try:
        from gdq_bench.measure.float_network import write_float_network
    except ImportError as error:
        tell(f"the network in float is left out: it needs the package onnx ({error})")
        return None
    try:
        write_float_network(bundle.file(graph), target)
    except BundleError as error:
        tell(f"the network in float is left out: {error}")
        return None
    return target
