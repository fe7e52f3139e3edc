from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from factories import sample_tiles
from gdq_core.resampling import resize_bicubic
from gdq_exporter import ExportError, ExportResult
from gdq_exporter.checks.parity import TorchReference, check_decisions, check_width, make_pairs
from gdq_models import EDSR
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine

TILES = sample_tiles(16).permute(0, 2, 3, 1).byte().numpy()

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def engine(exported: ExportResult) -> Iterator[OrtEngine]:
    opened = OrtEngine(Bundle(exported.bundle, exported.manifest), 32)
    yield opened
    opened.close()


def pairs(network: EDSR, bit_width: int) -> list[Pair]:
    """Tiles with a ground truth that torch comes within 30 dB of, as after training."""
    generator, made = np.random.default_rng(0), []
    route = network.route_for(torch.tensor([bit_width]))
    for tile in TILES[4:8]:
        with torch.inference_mode():
            image = network(torch.from_numpy(tile).permute(2, 0, 1)[None].float(), route)
        truth = image[0].permute(1, 2, 0).numpy() + generator.normal(0, 8, (64, 64, 3))
        made.append((tile, truth.round().clip(0, 255).astype(np.uint8)))
    return made


def test_the_exported_predictor_decides_as_torch(tiny: EDSR, engine: OrtEngine) -> None:
    assert check_decisions(tiny, engine, TILES) == ()


def test_a_wrong_predictor_fails(tiny: EDSR, engine: OrtEngine) -> None:
    other = copy.deepcopy(tiny)
    other.gate_predictor.gate.linear.weight.data.neg_()
    with pytest.raises(ExportError, match=r"chooses \d bits where torch chooses \d \(tile \d+\)"):
        check_decisions(other, engine, TILES)


def decided_by_entropy(tiny: EDSR, engine: OrtEngine) -> tuple[EDSR, NDArray[np.uint8], float]:
    """A copy to change, a tile that the gate leaves to the entropy rule, and its entropy."""
    for tile in TILES:
        prediction = engine.predict(tile)
        if prediction.logits.argmax() == 2:
            return copy.deepcopy(tiny), tile[None], prediction.entropy
    raise AssertionError("no such tile")


@pytest.mark.parametrize(("distance", "fails"), [(5e-5, False), (5e-3, True)])
def test_a_threshold_within_float_noise_leaves_a_tile_undecided(
    distance: float, fails: bool, tiny: EDSR, engine: OrtEngine
) -> None:
    """torch's threshold on one side of the entropy, the exported one on the other."""
    network, tile, entropy = decided_by_entropy(tiny, engine)
    high = engine.predict(tile[0]).bit_width == 8
    network.gate_predictor.e2b.entropies.fill_(entropy + (distance if high else -distance))
    if fails:
        with pytest.raises(ExportError, match="please report"):
            check_decisions(network, engine, tile)
    else:
        assert check_decisions(network, engine, tile) == (0,)


def test_a_close_entropy_does_not_excuse_the_gate(tiny: EDSR, engine: OrtEngine) -> None:
    """Where the gate decides for less, the entropy has no say."""
    network, tile, entropy = decided_by_entropy(tiny, engine)
    network.gate_predictor.e2b.entropies.fill_(entropy)
    network.gate_predictor.gate.linear.bias.data += torch.tensor([0.0, 100.0, 0.0])
    with pytest.raises(ExportError, match="where torch chooses 6"):
        check_decisions(network, engine, tile)


def test_close_logits_leave_a_tile_undecided(tiny: EDSR, engine: OrtEngine) -> None:
    network = copy.deepcopy(tiny)
    index = next(i for i, tile in enumerate(TILES) if engine.predict(tile).bit_width == 6)
    logits = engine.predict(TILES[index]).logits
    network.gate_predictor.gate.linear.bias.data[0] += float(logits[1] - logits[0]) + 5e-4
    assert check_decisions(network, engine, TILES[index : index + 1]) == (0,)


@pytest.mark.parametrize("bit_width", [4, 5, 6, 8])
def test_the_exported_subgraph_loses_next_to_nothing(
    bit_width: int, tiny: EDSR, engine: OrtEngine
) -> None:
    result = check_width(TorchReference(tiny, pairs(tiny, bit_width)), engine, bit_width)
    assert result.bit_width == bit_width
    assert 28 < result.reference_psnr < 40
    assert abs(result.loss) < 0.03
    assert result.mean_difference < 1


def test_spoiled_weights_fail(tiny: EDSR, exported: ExportResult, tmp_path: Path) -> None:
    shutil.copytree(exported.bundle, tmp_path / "bundle")
    weights = tmp_path / "bundle" / "onnx" / "weights.bin"
    content = bytearray(weights.read_bytes())
    content[256:1024] = bytes(768)
    weights.write_bytes(content)
    engine = OrtEngine(Bundle(tmp_path / "bundle", exported.manifest), 32)
    with pytest.raises(
        ExportError, match=r"the 8-bit subgraph on onnxruntime loses .* more than 0\.03"
    ):
        check_width(TorchReference(tiny, pairs(tiny, 8)), engine, 8)
    engine.close()


def test_a_perfect_reference_is_no_way_around_the_check(tiny: EDSR, engine: OrtEngine) -> None:
    """Its PSNR is infinite, and infinity less infinity would be less than any bar."""
    exact = [(tile, _run(tiny, tile)) for tile, _ in pairs(tiny, 8)]
    with pytest.raises(ExportError, match="loses"):
        check_width(TorchReference(tiny, exact), engine, 8)


def _run(network: EDSR, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    with torch.inference_mode():
        image = network(
            torch.from_numpy(tile).permute(2, 0, 1)[None].float(),
            network.route_for(torch.tensor([8])),
        )
    pixels: NDArray[np.uint8] = image[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return pixels


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pairs_are_those_of_validation(scale: int) -> None:
    """By one reduction, borders and both roundings included."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24 * scale, 24 * scale, 3), np.uint8)
    pairs = make_pairs(pictures, scale)
    for (tile, truth), picture in zip(pairs, pictures, strict=True):
        np.testing.assert_array_equal(truth, picture)
        np.testing.assert_array_equal(tile, resize_bicubic(picture, 24, 24))
