from __future__ import annotations

import re
from xml.etree import ElementTree

from bench.made_up import engine_facts, phone_result, result, sustained
from gdq_bench.protocol import Graph, Reason
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


def test_a_phone_has_its_verdict_bars_curves_and_heat() -> None:
    hot = Reason(kind="throttled", sentence="it was <hot>")
    page = render_page(phone_result(reasons=[hot], sustained=[sustained(2, 1)], emulated=True))
    assert "<b>throttled</b>: it was &lt;hot&gt;" in page
    assert page.index("Not valid") < page.index("One tile on the cluster big")
    assert page.count('<polyline class="engine') == 3
    assert "the last minute has 50% of the first one" in page
    assert re.findall(r">(minute \d)</text>", page) == 3 * ["minute 1", "minute 2"]
    assert "<td>before tiles on big" in page
    assert "<th>cluster<th>engine" in page
    assert re.findall(r"(?:src|href)=|url\(|@import", page) == []


def test_a_valid_phone_says_so() -> None:
    page = render_page(phone_result())
    assert "Valid: nothing is known" in page
    assert "Not valid" not in page


def test_what_was_taken_of_a_graph_has_a_table() -> None:
    graph = Graph(bits=4, nodes=103, accelerated_nodes=61, partitions=9)
    page = render_page(phone_result(engines=[engine_facts(graphs=[graph])]))
    assert "<td>onnxruntime<td>4 bits<td>103<td>61<td>9</tr>" in page
    assert "XNNPACK" not in render_page(phone_result())
