"""A bundle of two networks: exported, proved by every engine, and routed between both."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from core.made_pictures import random_image
from factories import tiny_edsr
from gdq_core.bit_widths import BIT_WIDTHS, INTERPOLATED, SMALL
from gdq_core.errors import BundleError, RequestError
from gdq_exporter.config import ExportConfig
from gdq_exporter.errors import ExportError
from gdq_exporter.pipeline import export
from gdq_exporter.trade_off.pair_tiles import LARGEST_LOSS
from gdq_models import EDSR, CheckpointError, save_checkpoint
from gdq_models.predictor.statistics import StatisticsPredictor
from gdq_runtime import Upscaler
from gdq_runtime.bundle.manifest import TWO_NETWORKS
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.cli.upscale import main as upscale
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.registry import open_engine
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_validate.cli.validate import main as validate
from gdq_validate.comparison import compare_golden_tiles
from runtime.engine_library import need_library
from sensitivities import draw_rule

TILE = 32
COSTS = Costs({0: 0.1, 4: 8, 5: 8.5, 6: 9, 8: 10, 68: 2, 69: 2.2, 70: 2.4, 72: 3}, 0.1)
LARGE, SMALLER = 10, 4
"""Seeds of heads by which some of the image's tiles gain on the large network, and some do not."""


def make_network(seed: int, blocks: int, scale: int = 2) -> EDSR:
    network = tiny_edsr(scale, seed=seed, blocks=blocks)
    network.predictor = StatisticsPredictor()
    network.predictor.install(draw_rule(TILE, seed, flat=-60))
    return network


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    save_checkpoint(make_network(LARGE, blocks=2), folder / "large.safetensors")
    save_checkpoint(make_network(SMALLER, blocks=1), folder / "small.safetensors")
    save_checkpoint(make_network(SMALLER, blocks=1, scale=3), folder / "other_scale.safetensors")
    save_checkpoint(tiny_edsr(blocks=1), folder / "gate.safetensors")
    return folder


@pytest.fixture(scope="module")
def bundle(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    need_library()
    folder = tmp_path_factory.mktemp("two_networks") / "bundle"
    config = ExportConfig(
        tile=TILE, calibration_tiles=4, trade_off_tiles=12, small=checkpoints / "small.safetensors"
    )
    export(checkpoints / "large.safetensors", folder, config)
    return Bundle.open(folder)


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    """Noise on the left, a plane on the right, and five bands of tiles."""
    picture = random_image(140, 170, 3)
    picture[:, 90:] = 128
    return cv2.GaussianBlur(picture, (0, 0), 1.0)  # type: ignore[return-value]


def test_the_small_network_is_a_bundle_of_its_own(bundle: Bundle) -> None:
    assert bundle.manifest.schema_version == TWO_NETWORKS
    assert bundle.routes == (68, 69, 70, 72, 4, 5, 6, 8)
    alone = Bundle.open(bundle.path / "small")
    assert alone.small is None
    assert alone.manifest.checkpoint.name == "small"
    assert alone.manifest.network.parameters < bundle.manifest.network.parameters
    with Upscaler(alone, costs=None) as upscaler:
        assert upscaler(random_image(40, 40, 3)).image.shape == (80, 80, 3)


def test_measured_tiles_tell_what_every_route_loses(bundle: Bundle) -> None:
    assert bundle.manifest.small is not None
    tiles = bundle.manifest.small.tiles
    assert len(tiles) == 12
    assert {*tiles[0].losses} == {INTERPOLATED, *bundle.routes}
    assert all(tile.losses[8] == 0 for tile in tiles)
    assert np.std([tile.losses[SMALL + 8] for tile in tiles]) > 0


@pytest.mark.parametrize("name", ["onnxruntime", "litert", "gdq"])
def test_every_engine_runs_both_networks(bundle: Bundle, name: str) -> None:
    tile = random_image(TILE, TILE, 3)
    assert bundle.small is not None
    with (
        closing(open_engine(name, bundle, TILE)) as engine,
        closing(open_engine(name, bundle.small, TILE)) as small,
    ):
        for width in BIT_WIDTHS:
            expected = small.run(width, tile)
            np.testing.assert_array_equal(engine.run(SMALL + width, tile), expected)
            assert (engine.run(width, tile) != expected).any()


def test_the_golden_tiles_of_both_are_compared(bundle: Bundle) -> None:
    proofs = list(compare_golden_tiles(bundle, ["gdq", "litert"]))
    references = [proof.reference for proof in proofs]
    assert references == ["golden tiles"] * 2 + ["golden tiles, small"] * 2
    assert all(proof.holds for proof in proofs)


@pytest.mark.parametrize("name", ["onnxruntime", "litert", "gdq"])
@pytest.mark.parametrize("request_", [Request(), Request(max_loss=1.0), Request(speed=2)])
def test_decisions_depend_on_neither_threads_nor_engine(
    bundle: Bundle, image: NDArray[np.uint8], name: str, request_: Request
) -> None:
    costs = COSTS if request_.asks_for_time else None
    maps = []
    for engine, threads in (("gdq", 1), (name, 1), (name, 3)):
        with Upscaler(bundle, engine, threads, costs=costs) as upscaler:
            maps.append([upscaler(image, request_).bit_map for _ in range(2)])
    for others in maps[1:]:
        np.testing.assert_array_equal(maps[0], others)


@pytest.mark.parametrize("speed", [1, 1.3, 2, 3.3])
def test_every_picture_keeps_its_time(
    bundle: Bundle, image: NDArray[np.uint8], speed: float
) -> None:
    with Upscaler(bundle, "gdq", 1, costs=COSTS) as upscaler:
        result = upscaler(image, speed=speed)
    assert result.spending is not None
    assert result.spending.speed >= speed
    assert set(np.unique(result.bit_map)) <= {INTERPOLATED, *bundle.routes}


def test_more_time_brings_more_tiles_to_the_large_network(
    bundle: Bundle, image: NDArray[np.uint8]
) -> None:
    with Upscaler(bundle, "gdq", 1, costs=COSTS) as upscaler:
        maps = [upscaler(image, speed=speed, flat_tiles="network").bit_map for speed in (3.3, 2, 1)]
    small = [int((bit_map > SMALL).sum()) for bit_map in maps]
    assert small[0] > small[1] > small[2]


def test_one_width_is_one_of_the_large_network(bundle: Bundle, image: NDArray[np.uint8]) -> None:
    with Upscaler(bundle, "gdq", 1, costs=None) as upscaler:
        assert set(np.unique(upscaler(image, bits=6).bit_map)) == {6}
        flat = upscaler(image, bits=6, flat_tiles="interpolate").bit_map
        assert set(np.unique(flat)) == {INTERPOLATED, 6}


def test_loses_no_more_than_proposed_or_asked_for(bundle: Bundle) -> None:
    proposed = Router.create(bundle, Request(flat_tiles="network")).expected_loss
    assert proposed is not None
    assert proposed <= LARGEST_LOSS
    asked = Router.create(bundle, Request(flat_tiles="network", max_loss=0.001)).expected_loss
    assert asked is not None
    assert asked <= 0.001


@pytest.mark.parametrize("request_", [Request(fab=5), Request(fab_cap=5)])
def test_a_mean_of_bits_is_refused(bundle: Bundle, request_: Request) -> None:
    with pytest.raises(RequestError, match=r"count the bits of one network, .* give speed"):
        Router.create(bundle, request_)


@pytest.mark.parametrize(
    ("small", "message"),
    [
        ("gate", "both need: fit them by gdq-calibrate"),
        ("large", "is not smaller"),
        ("other_scale", "upscales by 3, not by 2"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_before_anything_is_written(
    checkpoints: Path, tmp_path: Path, small: str, message: str
) -> None:
    config = ExportConfig(tile=TILE, small=checkpoints / f"{small}.safetensors")
    said: list[str] = []
    with pytest.raises((ExportError, CheckpointError), match=message):
        export(checkpoints / "large.safetensors", tmp_path / "bundle", config, said.append)
    assert said == ["loading the checkpoint"]
    assert not list(tmp_path.iterdir())


def test_the_networks_of_a_strangers_bundle_must_fit(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.path, folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    inner = (folder / "small" / "manifest.json").read_text()

    def change(**changes: object) -> None:
        path.write_text(json.dumps(manifest | changes))

    change(schema_version=4)
    with pytest.raises(BundleError, match="schema version 5 is that of bundles of two"):
        Bundle.open(folder)
    change(tiling={"size": TILE, "overlap": 4})
    with pytest.raises(BundleError, match="do not have the same tiling"):
        Bundle.open(folder)
    change(small=manifest["small"] | {"folder": "elsewhere"})
    with pytest.raises(BundleError, match=r"'elsewhere/manifest\.json' is used but not listed"):
        Bundle.open(folder)
    change(small=manifest["small"] | {"tiles": [manifest["small"]["tiles"][0] | {"losses": {}}]})
    with pytest.raises(BundleError, match="measured tiles have other routes"):
        Bundle.open(folder)
    change()
    (folder / "small" / "manifest.json").write_text(inner.replace('"scale": 2', '"scale": 3'))
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(folder)


@pytest.fixture
def photos(image: NDArray[np.uint8], tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "photo.png"), image)
    return tmp_path / "photos"


def test_upscale_names_the_routes(bundle: Bundle, photos: Path, tmp_path: Path) -> None:
    words = [str(photos / "photo.png"), "-b", str(bundle.path), "--max-loss", "0.5"]
    told = CliRunner().invoke(upscale, [*words, "-o", str(tmp_path / "a.png")])
    assert told.exit_code == 0, told.output
    assert " x small " in told.stdout
    map_ = tmp_path / "map.png"
    words += ["-o", str(tmp_path / "b.png"), "--bit-map", str(map_), "--format", "json"]
    (answer,) = json.loads(CliRunner().invoke(upscale, words).stdout)["images"]
    assert {int(route) for route in answer["tiles"]} <= {INTERPOLATED, *bundle.routes}
    assert max(int(route) for route in answer["tiles"]) > SMALL
    assert answer["dial"]["db_per_tile"] > 0
    assert map_.exists()


def test_validation_counts_the_operations_of_both(
    bundle: Bundle, photos: Path, tmp_path: Path
) -> None:
    report, page = tmp_path / "report.json", tmp_path / "page.html"
    words = [str(bundle.path), "--data", str(photos), "--json", str(report), "--html", str(page)]
    answer = CliRunner().invoke(validate, words)
    assert answer.exit_code == 0, answer.output
    found = json.loads(report.read_text())
    (picture,) = found["images"]
    by_row = bundle.bit_operations
    assert bundle.small is not None
    assert by_row[SMALL + 4] == bundle.small.bit_operations[4] < by_row[4]
    low, high = (number * TILE**2 for number in (min(by_row.values()), max(by_row.values())))
    assert low * len(picture["tiles"]) < found["bitops"] < high * len(picture["tiles"])
    assert "small" in page.read_text()


def test_torch_runs_one_network_only(bundle: Bundle, photos: Path, checkpoints: Path) -> None:
    words = [str(bundle.path), "--data", str(photos), "--checkpoint"]
    answer = CliRunner().invoke(validate, [*words, str(checkpoints / "large.safetensors")])
    assert answer.exit_code == 2
    assert "--checkpoint compares with one network" in answer.stderr
