from __future__ import annotations

from bench.made_up import engine_facts, phone_result, picture, result, sustained
from gdq_bench.protocol import Graph, Reason
from gdq_bench.report.text import render_text


def test_both_tables_and_what_they_are_of() -> None:
    lines = render_text(result()).splitlines()
    assert lines[0] == "tiny: edsr x2, profile test, tiles of 32 pixels"
    assert "one tile on one processor, medians of 24 rounds in turn" in lines
    assert "<photos>: 1 picture, 2.0 megapixels when upscaled, medians of 3 rounds in turn" in lines
    rows = [line.split() for line in lines]
    assert ["onnxruntime", "float", "20.000", "20.000..20.000", "20.000", "1.000"] in rows
    assert [
        "onnxruntime", "routed", "2", "0.500", "0.500..0.500", "1.000", "4.000", "4.50", "7.50",
        "30.00", "0.125", "1.900",
    ] in rows  # fmt: skip


def test_notes_and_warnings_come_last() -> None:
    text = render_text(result(notes=["left out"], warnings=["busy"]))
    assert text.endswith("note: left out\nwarning: busy")


def test_without_a_baseline_there_are_no_ratios() -> None:
    text = render_text(result(baseline=None))
    assert "no ratios: onnxruntime at 8 bits" in text


def test_columns_are_aligned() -> None:
    pictures = [picture(), picture(8, engine="an_engine_with_a_name", wall=100.0)]
    lines = render_text(result(pictures=pictures)).splitlines()
    header = next(line for line in lines if "Mpixel/s" in line)
    end = header.index("Mpixel/s") + len("Mpixel/s")
    table = lines[lines.index(header) :][: 1 + len(pictures)]
    assert all(row[end - 1] != " " and row[end] == " " for row in table)


def test_a_phone_has_a_verdict_and_a_column_of_clusters() -> None:
    hot = Reason(kind="throttled", sentence="it was hot")
    lines = render_text(phone_result(reasons=[hot], sustained=[sustained(2, 1)])).splitlines()
    assert "NOT VALID, throttled: it was hot" in lines
    rows = [line.split() for line in lines]
    assert ["cluster", "engine", "bits", "ms", "quartiles", "cpu", "ms", "ratio"] in rows
    assert ["big", "gdq", "4", "bits", "20.000", "20.000..20.000", "20.000", "1.000"] in rows
    assert ["minute", "2", "1.000", "41", "°C", "status", "0", "1.80", "2.85"] in rows
    assert "valid" in render_text(phone_result()).splitlines()


def test_columns_without_an_entry_are_left_out() -> None:
    text = render_text(phone_result(baseline=None))
    assert "cluster  engine  bits    workers      s     quartiles  cpu s  Mpixel/s" in text
    assert "PSNR" in render_text(result())
    assert "PSNR" not in text


def test_energy_of_power_rails_is_told_beside_what_the_battery_does_not_tell() -> None:
    curve = sustained(2.0).model_copy(
        update={"rail_joules_per_megapixel": {"GPU": 0.5, "CPUCL2": 2.25}}
    )
    assert render_text(phone_result(sustained=[curve])).count(
        "first one's speed; 2.25 J per megapixel through CPUCL2, 0.50 J per megapixel through GPU, "
        "no energy: the battery is charged over the cable"
    )


def test_what_was_taken_of_a_graph_is_told_where_it_is_known() -> None:
    known = Graph(bits=4, nodes=103, accelerated_nodes=61, partitions=9)
    unknown = Graph(bits=8, nodes=None, accelerated_nodes=None, partitions=None)
    text = render_text(phone_result(engines=[engine_facts(graphs=[known, unknown])]))
    _, _, after = text.partition("\nnodes that XNNPACK or an accelerator took\n")
    rows = [line.split() for line in after.splitlines()[:3]]
    assert rows[:2] == [
        ["engine", "bits", "nodes", "taken", "partitions"],
        ["onnxruntime", "4", "bits", "103", "61", "9"],
    ]
    assert rows[2] == []
    assert "XNNPACK" not in render_text(phone_result(engines=[engine_facts(graphs=[unknown])]))
