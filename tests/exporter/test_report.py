from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from gdq_exporter import ExportResult
from gdq_exporter.checks.results import CheckResults
from gdq_exporter.report import describe, write_report


def strict(text: str) -> Any:
    """JSON without the NaN and Infinity that Python adds to it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_report_of_a_bundle_is_json_of_what_was_checked(exported: ExportResult) -> None:
    report = strict((exported.bundle / "report.json").read_text())
    checks = exported.checks
    assert set(report["onnx"]) == {"4", "5", "6", "8"}
    for width, fusion in checks.findings["onnx"].items():
        assert report["onnx"][width]["integer_convs"] == fusion.integer_convs
    assert set(report["tflite"]) == {"bits4", "bits5", "bits6", "bits8", "predictor"}
    for name, delegation in checks.findings["tflite"].items():
        assert report["tflite"][name]["is_whole"] == delegation.is_whole
    assert set(report["mobile"]) == set(report["tflite"])
    for name, usability in checks.findings["mobile"].items():
        assert report["mobile"][name]["opset"] == usability.opset
        assert report["mobile"][name]["nnapi"]["partitions"] == usability.nnapi.partitions
    # Our own engine only where its library was built.
    assert list(report["parity"])[:2] == ["onnxruntime", "litert"]
    for engine, parity in checks.parity.items():
        assert report["parity"][engine]["tiles"] == parity.tiles
        for entry, one in zip(report["parity"][engine]["widths"], parity.widths, strict=True):
            assert entry["bit_width"] == one.bit_width
            assert entry["loss"] == entry["reference_psnr"] - entry["exported_psnr"]
    assert [entry["engine"] for entry in report["agreement"]] == list(report["parity"])[1:]


def test_describe_lists_every_file(exported: ExportResult) -> None:
    report = describe(exported.manifest, exported.checks)
    listed = {entry["path"] for entry in report["files"]}
    assert listed == {entry.path for entry in exported.manifest.files}


def test_the_page_shows_the_numbers_and_pictures_that_exist(exported: ExportResult) -> None:
    page = (exported.bundle / "report.html").read_text()
    for parity in exported.checks.parity.values():
        for width in parity.widths:
            assert f"<td>{width.reference_psnr:.2f}<td>{width.exported_psnr:.2f}" in page
    assert "What ONNX Runtime runs" in page
    assert "<tr><td>bits5<td>all<td>" in page
    nnapi = exported.checks.findings["mobile"]["bits4"].nnapi
    assert f"<tr><td>bits4<td>all<td>{nnapi.taken} of {nnapi.nodes}<td>" in page
    assert nnapi.left_to_cpu == {"Cast": 1}
    assert "NNAPI leaves to the CPU: 1 Cast\n" in page
    for golden in exported.manifest.golden:
        for path in golden.outputs["onnx"].values():
            assert f'src="{path}"' in page
            assert (exported.bundle / path).is_file()


def test_a_format_that_was_not_run_says_so(exported: ExportResult, tmp_path: Path) -> None:
    checks = dataclasses.replace(exported.checks, unproved={"engine": "no <library> here"})
    write_report(tmp_path, exported.manifest, checks)
    assert json.loads((tmp_path / "report.json").read_text())["unproved"] == checks.unproved
    page = (tmp_path / "report.html").read_text()
    assert "engine: written but unproved: no &lt;library&gt; here" in page


def without(exported: ExportResult, *sections: str) -> CheckResults:
    findings = exported.checks.findings | {section: {} for section in sections}
    return dataclasses.replace(exported.checks, findings=findings, agreement=[])


def test_a_bundle_of_one_format_says_nothing_of_the_other(
    exported: ExportResult, tmp_path: Path
) -> None:
    checks = without(exported, "onnx", "mobile")
    write_report(tmp_path, exported.manifest, checks)
    page = (tmp_path / "report.html").read_text()
    assert "What ONNX Runtime runs" not in page
    assert "Mobile readiness" not in page
    assert "What LiteRT runs" in page


def test_without_tflite_only_nnapi_is_predicted(exported: ExportResult, tmp_path: Path) -> None:
    checks = without(exported, "tflite")
    write_report(tmp_path, exported.manifest, checks)
    page = (tmp_path / "report.html").read_text()
    assert "Mobile readiness" in page
    assert "XNNPACK" not in page


def test_memory_is_shown_where_it_was_measured(exported: ExportResult, tmp_path: Path) -> None:
    assert "Memory" not in (exported.bundle / "report.html").read_text()
    measured = {"onnxruntime": {"bits4": 12_340_000}, "litert": {"bits4": 56_780_000}}
    write_report(tmp_path, exported.manifest, dataclasses.replace(exported.checks, memory=measured))
    assert "<tr><td>bits4<td>12.3<td>56.8</tr>" in (tmp_path / "report.html").read_text()
    assert strict((tmp_path / "report.json").read_text())["memory"] == measured


def test_a_name_is_text_never_markup(exported: ExportResult, tmp_path: Path) -> None:
    """The checkpoint's file name and the folder of photos are a stranger's words."""
    manifest = exported.manifest
    hostile = "<script>alert(1)</script>"
    renamed = manifest.model_copy(
        update={
            "checkpoint": manifest.checkpoint.model_copy(update={"name": hostile}),
            "calibration": manifest.calibration.model_copy(update={"source": hostile}),
        }
    )
    write_report(tmp_path, renamed, exported.checks)
    page = (tmp_path / "report.html").read_text()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
