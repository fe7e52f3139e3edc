from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import onnx_ir as ir
import pytest
import torch
from numpy.typing import NDArray

from engine.reference import read as read_packed
from engine.reference import run as run_packed
from exporter import oracle
from factories import released_state_dict, sample_tiles, tiny_compact, tiny_edsr, tiny_srresnet
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.errors import BundleError, OutputError
from gdq_exporter import ExportConfig, ExportError, ExportResult, export
from gdq_models import (
    EDSR,
    CheckpointError,
    EntropyTable,
    save_checkpoint,
    save_entropy_table,
    tile_entropy,
)
from gdq_runtime.bundle.manifest import Format, Manifest
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import ENGINES, open_engine
from runtime.engine_library import need_library


def read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture[:, :, ::-1], np.uint8)


def assert_golden(bundle: Bundle, tile_size: int | None, engine_name: str = "onnxruntime") -> None:
    """Every golden tile comes out as the manifest says."""
    engine = open_engine(engine_name, bundle, tile_size)
    for golden in bundle.manifest.golden:
        tile = read(bundle.file(golden.tile))
        prediction = engine.predict(tile)
        assert prediction.bit_width == golden.bit_width
        assert golden.logits is not None
        np.testing.assert_allclose(prediction.logits, golden.logits, rtol=1e-3, atol=1e-3)
        for width, path in golden.outputs[ENGINES[engine_name].reads].items():
            difference = engine.run(int(width), tile).astype(int) - read(bundle.file(path))
            assert np.abs(difference).max() <= 1
            assert (difference != 0).mean() <= 1e-3
    engine.close()


@pytest.mark.parametrize("tile_size", [32, None])
def test_the_bundle_opens_and_reproduces_its_golden_tiles(
    tile_size: int | None, exported: ExportResult
) -> None:
    """With graphs fixed to the tile's size, and with free ones."""
    bundle = Bundle.open(exported.bundle)
    assert bundle.manifest == exported.manifest
    assert bundle.bit_widths == BIT_WIDTHS
    assert_golden(bundle, tile_size)


def test_litert_reproduces_them_too(exported: ExportResult) -> None:
    assert_golden(Bundle.open(exported.bundle), 32, "litert")


@pytest.mark.parametrize(
    ("graph_format", "engine", "other"),
    [
        ("onnx", "onnxruntime", "litert"),
        ("tflite", "litert", "onnxruntime"),
        ("engine", "gdq", "onnxruntime"),
    ],
)
def test_one_format_is_enough(
    graph_format: Format, engine: str, other: str, checkpoint: Path, tmp_path: Path
) -> None:
    if engine == "gdq":
        need_library()
    settings = ExportConfig(tile=16, overlap=2, calibration_tiles=4, formats=(graph_format,))
    result = export(checkpoint, tmp_path / "bundle", settings)
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.manifest.formats == [graph_format]
    folders = [name for name in get_args(Format) if (bundle.path / name).exists()]
    assert folders == [graph_format]
    assert_golden(bundle, 16, engine)
    with pytest.raises(BundleError, match=f"was exported with --formats {graph_format}"):
        open_engine(other, bundle, 16)
    assert list(result.checks.parity) == [engine]
    assert result.checks.agreement == []
    assert bool(result.checks.findings["onnx"]) == (graph_format == "onnx")
    assert bool(result.checks.findings["tflite"]) == (graph_format == "tflite")
    assert bool(result.checks.findings["mobile"]) == (graph_format == "onnx")
    assert ("ai-edge-litert" in bundle.manifest.tools) == (graph_format == "tflite")


def test_our_engine_s_file_is_written_by_default(exported: ExportResult) -> None:
    """And by no other engine read: it either proves itself here or says why not."""
    bundle = Bundle.open(exported.bundle)
    assert bundle.manifest.formats == ["onnx", "tflite", "engine"]
    model = read_packed(bundle.file("engine/model.gdq").read_bytes())
    assert (model.scale, model.bit_widths) == (2, bundle.bit_widths)
    graphs = (bundle.manifest.predictor, *bundle.manifest.subgraphs)
    assert {graph.engine for graph in graphs} == {"engine/model.gdq"}
    assert ("gdq" in exported.checks.parity) != ("engine" in exported.checks.unproved)
    for golden in bundle.manifest.golden:
        for width, path in golden.outputs["onnx"].items():
            picture = run_packed(model, int(width), read(bundle.file(golden.tile)))
            error = np.square(picture.astype(float) - read(bundle.file(path))).mean()
            assert 10 * np.log10(255**2 / error) > 45


def test_a_network_that_our_engine_cannot_run_is_exported_without_it(tmp_path: Path) -> None:
    """Unless its format was asked for: then the export fails."""
    save_checkpoint(tiny_edsr(2, channels=8, blocks=1).eval(), tmp_path / "narrow.safetensors")
    said: list[str] = []
    settings = ExportConfig(tile=16, overlap=2, calibration_tiles=4)
    result = export(tmp_path / "narrow.safetensors", tmp_path / "bundle", settings, said.append)
    assert result.manifest.formats == ["onnx", "tflite"]
    assert not (tmp_path / "bundle" / "engine").exists()
    sentence = "our engine cannot run it: a layer has 8 channels, not a multiple of 16; choose"
    assert [message for message in said if sentence in message]
    asked = replace(settings, formats=("onnx", "engine"))
    with pytest.raises(ExportError, match=f"{sentence} --formats onnx,tflite"):
        export(tmp_path / "narrow.safetensors", tmp_path / "asked", asked)
    assert not (tmp_path / "asked").exists()


def test_the_oracle_reproduces_golden_tiles(exported: ExportResult) -> None:
    """ONNX's reference evaluator: not what wrote them."""
    bundle = Bundle.open(exported.bundle)
    for golden in bundle.manifest.golden:
        tile = read(bundle.file(golden.tile))
        width, path = next(iter(golden.outputs["onnx"].items()))
        onnx_file = bundle.subgraph(int(width)).onnx
        assert onnx_file is not None
        model = ir.load(bundle.file(onnx_file))
        ir.external_data.load_to_model(model)
        difference = oracle.output(model, tile[None])[0].astype(int) - read(bundle.file(path))
        assert np.abs(difference).max() <= 1
        assert (difference != 0).mean() <= 1e-3


def test_the_manifest_says_what_was_exported(
    exported: ExportResult, tiny: EDSR, config: ExportConfig
) -> None:
    manifest = exported.manifest
    assert (manifest.network.name, manifest.network.scale) == ("edsr", 2)
    assert manifest.network.parameters == sum(p.numel() for p in tiny.parameters())
    assert (manifest.tiling.size, manifest.tiling.overlap) == (config.tile, config.overlap)
    assert manifest.predictor.e2b is not None
    assert tuple(manifest.predictor.e2b.thresholds) == tiny.gate_predictor.e2b.thresholds()
    assert manifest.checkpoint.name == "tiny"
    assert {"torch", "onnx", "onnxruntime"} <= manifest.tools.keys()
    assert manifest.calibration.tiles == config.calibration_tiles
    files = {path.relative_to(exported.bundle).as_posix() for path in exported.bundle.rglob("*.*")}
    assert files == {entry.path for entry in manifest.files} | {"manifest.json"}


def test_the_result_says_what_was_checked(exported: ExportResult, config: ExportConfig) -> None:
    checks, findings = exported.checks, exported.checks.findings
    assert set(findings["onnx"]) == {"4", "5", "6", "8"}
    assert [name for name, one in findings["tflite"].items() if one.is_whole] == [
        "bits4",
        "bits5",
        "bits6",
        "bits8",
    ]
    assert set(findings["mobile"]) == {"predictor", "bits4", "bits5", "bits6", "bits8"}
    assert list(checks.parity)[:2] == ["onnxruntime", "litert"]
    for parity in checks.parity.values():
        assert parity.tiles == config.calibration_tiles
        assert [width.bit_width for width in parity.widths] == [4, 5, 6, 8]
    agreement = checks.agreement[0]
    assert agreement.engine == "litert"
    assert agreement.beyond_one <= 1e-3
    assert exported.seconds > 0


def test_two_exports_are_equal(
    exported: ExportResult, checkpoint: Path, config: ExportConfig, tmp_path: Path
) -> None:
    """Byte by byte, the report and the manifest too."""
    said: list[str] = []
    again = export(checkpoint, tmp_path / "again", config, progress=said.append)
    for entry in exported.manifest.files:
        theirs, ours = (folder / entry.path for folder in (exported.bundle, again.bundle))
        assert theirs.read_bytes() == ours.read_bytes(), entry.path
    manifests = [folder / "manifest.json" for folder in (exported.bundle, again.bundle)]
    assert manifests[0].read_text() == manifests[1].read_text()
    assert said[0] == "loading the checkpoint"
    assert [message for message in said if message.startswith("lowering")] == [
        f"lowering to {width} bits" for width in (4, 5, 6, 8)
    ]


def test_a_released_checkpoint_becomes_a_bundle(tmp_path: Path) -> None:
    """SRResNet by torch.save, with entropy table and photos; only the body in integers."""
    photos = tmp_path / "photos"
    photos.mkdir()
    picture = sample_tiles(16, 64)[9].permute(1, 2, 0).byte().numpy()
    cv2.imwrite(str(photos / "only.png"), picture)
    network = tiny_srresnet(2, channels=8, blocks=1)
    table = EntropyTable.build(tile_entropy(sample_tiles()).tolist(), tile=32, scale=2)
    torch.save({"state_dict": released_state_dict(network)}, tmp_path / "srresnet.pt")
    save_entropy_table(table, tmp_path / "E2B.json")
    settings = ExportConfig(
        tile=16,
        overlap=4,
        scale=2,
        profile="stream_float-tail_float",
        calibration=photos,
        calibration_tiles=4,
        entropy_table=tmp_path / "E2B.json",
    )
    result = export(tmp_path / "srresnet.pt", tmp_path / "bundle", settings)
    assert result.manifest.network.name == "srresnet"
    assert (result.manifest.calibration.source, result.manifest.calibration.images) == ("photos", 1)
    assert {fusion.integer_convs for fusion in result.checks.findings["onnx"].values()} == {2}
    assert_golden(Bundle.open(tmp_path / "bundle"), 16)


def test_an_srresnet_of_srgans_form_becomes_a_bundle_of_all_formats(tmp_path: Path) -> None:
    """Norms before activations, and biases: the export itself compares with torch."""
    network = tiny_srresnet(2, blocks=1, bias=True, norm_first=True)
    save_checkpoint(network, tmp_path / "srgan.safetensors")
    settings = ExportConfig(tile=32, overlap=4, calibration_tiles=4)
    result = export(tmp_path / "srgan.safetensors", tmp_path / "bundle", settings)
    assert set(result.manifest.agreement) == set(get_args(Format))
    assert {fusion.integer_convs for fusion in result.checks.findings["onnx"].values()} >= {2}


def test_a_compact_becomes_a_bundle_of_the_formats_that_can_express_it(tmp_path: Path) -> None:
    """The export itself compares with torch; our engine adds no picture to a picture."""
    save_checkpoint(tiny_compact(2, blocks=2), tmp_path / "compact.safetensors")
    settings = ExportConfig(tile=32, overlap=4, calibration_tiles=4)
    result = export(tmp_path / "compact.safetensors", tmp_path / "bundle", settings)
    assert set(result.manifest.agreement) == {"onnx", "tflite"}
    assert {fusion.integer_convs for fusion in result.checks.findings["onnx"].values()} == {2}
    assert_golden(Bundle.open(tmp_path / "bundle"), 32)


@pytest.mark.parametrize("content", [None, b"a text file, no weights", b"PK\x03\x04 cut off"])
def test_no_checkpoint_no_bundle(content: bytes | None, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    if content is not None:
        checkpoint.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        export(checkpoint, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    assert len(list(tmp_path.iterdir())) == (content is not None)


def test_a_missing_package_is_found_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    said: list[str] = []
    with pytest.raises(ExportError, match="pip install ai-edge-litert, or choose --formats onnx"):
        export(tmp_path / "nothing", tmp_path / "bundle", progress=said.append)
    assert said == []


def test_memory_is_measured_on_request(
    exported: ExportResult, checkpoint: Path, tmp_path: Path
) -> None:
    settings = ExportConfig(
        tile=16, overlap=2, calibration_tiles=4, formats=("onnx",), measure_memory=True
    )
    result = export(checkpoint, tmp_path / "bundle", settings)
    assert list(result.checks.memory) == ["onnxruntime"]
    assert exported.checks.memory == {}


def test_a_system_that_cannot_measure_memory_is_found_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gdq_exporter.checks.memory.STATUS", tmp_path / "nothing")
    with pytest.raises(ExportError, match="leave out --measure-memory"):
        export(tmp_path / "nothing", tmp_path / "bundle", ExportConfig(measure_memory=True))


def test_another_scale_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="upscales by 2, not by 4"):
        export(checkpoint, tmp_path / "bundle", ExportConfig(scale=4))


def test_an_existing_target_is_refused_before_any_work(exported: ExportResult) -> None:
    said: list[str] = []
    with pytest.raises(OutputError, match=r"exists; --overwrite"):
        export(Path("nothing"), exported.bundle, progress=said.append)
    assert said == []


def test_a_bundle_may_be_replaced(checkpoint: Path, tmp_path: Path) -> None:
    """An export that fails leaves the old one as it was."""
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "manifest.json").write_text('{"schema_version": 4, "subgraphs": []}')
    replacing = ExportConfig(tile=16, calibration_tiles=4, overwrite=True)
    with pytest.raises(CheckpointError, match="nothing"):
        export(tmp_path / "nothing", target, replacing)
    assert len(list(target.iterdir())) == 1
    export(checkpoint, target, replacing)
    assert isinstance(Bundle.open(target).manifest, Manifest)


def test_a_full_disk_leaves_nothing(
    checkpoint: Path, config: ExportConfig, small_disk: Path
) -> None:
    with pytest.raises(OutputError, match="No space left on device"):
        export(checkpoint, small_disk / "bundle", config)
    assert list(small_disk.iterdir()) == []
