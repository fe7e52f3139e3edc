from __future__ import annotations

import re
from xml.etree import ElementTree

from bench.made_up import result
from gdq_bench.report.page import render_page


def test_one_page_that_needs_nothing_else() -> None:
    page = render_page(result(warnings=["the processors were busy"], notes=["left out"]))
    assert "<li>the processors were busy</li>" in page
    assert "<li>left out</li>" in page
    assert "&lt;photos&gt;" in page
    assert re.findall(r"(?:src|href)=|url\(|@import", page) == []
    assert page.count("<td>onnxruntime") == 3 + 3 + 1


def test_without_times_there_is_no_plot() -> None:
    page = render_page(result(tiles=[], pictures=[]))
    assert "<svg" not in page
    assert page.count("<td>onnxruntime") == 1


def test_the_plot_is_drawn() -> None:
    (plot,) = re.findall(r'<svg viewBox="0 0 640 360".*?</svg>', render_page(result()), re.DOTALL)
    drawn = ElementTree.fromstring(plot)
    assert len(drawn.findall("circle")) == 2
    assert "onnxruntime, 8 bits" in plot
