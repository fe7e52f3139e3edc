from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from gdq_core.errors import BundleError
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.pages.trade_off_figure import render_figure
from runtime.tiny_bundle import add_dial, write_tiny_bundle

SVG = "{http://www.w3.org/2000/svg}"


def test_the_figure_is_svg_with_curves_and_legend(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle")
    add_dial(folder)
    figure = ElementTree.fromstring(render_figure(Bundle.open(folder)))
    words = {text.text for text in figure.iter(f"{SVG}text")}
    assert {"random gate", "entropy", "gate", "oracle", "FAB, bits"} <= words
    assert len(list(figure.iter(f"{SVG}polyline"))) == 8, "four curves, and each in the legend"


def test_a_bundle_without_a_dial_is_refused(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(BundleError, match="has no trade-off to draw"):
        render_figure(bundle)
