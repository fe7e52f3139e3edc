"""The export's report: report.json for programs, report.html for people."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape

from gdq_core.bit_widths import name_of_width
from gdq_core.files.text import write_text
from gdq_exporter.checks.parity import LARGEST_LOSS, ParityResult
from gdq_exporter.checks.results import CheckResults
from gdq_runtime.bundle.manifest import Manifest
from gdq_validate.pages.trade_off_plot import plot_trade_off


def write_report(folder: Path, manifest: Manifest, checks: CheckResults) -> None:
    """Write both files into a bundle under construction."""
    report = describe(manifest, checks)
    write_text(folder / "report.json", json.dumps(report, indent=1) + "\n")
    pages = Environment(
        loader=ChoiceLoader(
            [PackageLoader("gdq_exporter", "pages"), PackageLoader("gdq_validate", "pages")]
        ),
        autoescape=select_autoescape(),
    )
    plot = None if manifest.trade_off is None else plot_trade_off(manifest.trade_off)
    page = pages.get_template("report.html").render(
        manifest=manifest, plot=plot, routes=_average_routes(manifest), **report
    )
    write_text(folder / "report.html", page)


def describe(manifest: Manifest, checks: CheckResults) -> dict[str, Any]:
    """Describe an export as JSON-ready values.

    Files; the sections that each target's checks fill (what ONNX Runtime and LiteRT make of the
    graphs, what each graph asks of a phone); formats that nothing here can run, with the reason;
    parity with torch, per engine; agreement of the other engines with the golden tiles; memory per
    engine and graph, in bytes, if it was measured; what the predictor loses beside chance, with a
    warning if it does not earn its bits.
    """
    return {
        "files": [entry.model_dump() for entry in manifest.files],
        **{
            section: {name: dataclasses.asdict(one) for name, one in found.items()}
            for section, found in checks.findings.items()
        },
        "unproved": checks.unproved,
        "parity": {engine: _describe_parity(one) for engine, one in checks.parity.items()},
        "agreement": [one.model_dump(mode="json") for one in checks.agreement],
        "memory": checks.memory,
        "routing": dataclasses.asdict(checks.routing) | {"warning": checks.routing.warning},
    }


def _average_routes(manifest: Manifest) -> dict[str, float]:
    """Return what all tiles on one route lose, by its name; empty of one network."""
    tiles = [] if manifest.small is None else manifest.small.tiles
    routes = tiles[0].losses if tiles else {}
    return {
        name_of_width(route): sum(tile.losses[route] for tile in tiles) / len(tiles)
        for route in routes
    }


def _describe_parity(parity: ParityResult) -> dict[str, Any]:
    return {
        "tiles": parity.tiles,
        "undecided": list(parity.undecided),
        "largest_loss": LARGEST_LOSS,
        "widths": [dataclasses.asdict(width) | {"loss": width.loss} for width in parity.widths],
    }
