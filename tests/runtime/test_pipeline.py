from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.made_pictures import (
    exif,
    icc_chunk,
    png_bytes,
    random_image,
    srgb_like_profile,
)
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_core.errors import BundleError, EngineError, ImageError, OutputError, RequestError
from gdq_core.pictures.decode import PictureReader, apply_orientation
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.pipeline import Upscaler
from gdq_runtime.routing.request import Request
from gdq_runtime.tiles.tiling import POLICIES, Policy, TilePlan, cut_tile
from peak_memory import peak_of
from runtime.tiny_bundle import add_dial, predict, seal, upscale, write_tiny_bundle

TILE, OVERLAP = 16, 4


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(
        tmp_path_factory.mktemp("pipeline") / "bundle", tile=TILE, overlap=OVERLAP
    )


@pytest.fixture(scope="module", params=POLICIES)
def upscaler(bundle: Path, request: pytest.FixtureRequest) -> Iterator[Upscaler]:
    with Upscaler.open(bundle, threads=2, policy=request.param) as opened:
        yield opened


def expected_result(
    image: NDArray[np.uint8], policy: Policy
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Picture and bit map by the plainest means: every tile on its own, in a loop."""
    height, width = image.shape[:2]
    plan = TilePlan(width, height, TILE, OVERLAP, policy)
    picture = np.zeros((2 * height, 2 * width, 3), dtype=np.uint8)
    bit_map = np.zeros(plan.shape, dtype=np.uint8)
    for y, row in enumerate(plan.rows):
        for x, column in enumerate(plan.columns):
            tile = cut_tile(image[row.start : row.stop], row, column)
            bit_map[y, x] = predict(tile)
            own = np.s_[
                2 * row.own_start : 2 * row.own_stop, 2 * column.own_start : 2 * column.own_stop
            ]
            picture[own] = upscale(image, int(bit_map[y, x]))[own]
    return picture, bit_map


def contrasts(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Areas of all brightnesses, so that tiles are routed differently."""
    coarse = np.random.default_rng(seed).integers(
        0, 256, (height // 20 + 2, width // 20 + 2, 3), dtype=np.uint8
    )
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine, np.uint8)


@pytest.mark.parametrize("bits", BIT_WIDTHS)
def test_one_width_for_all_is_the_picture_as_a_whole(upscaler: Upscaler, bits: BitWidth) -> None:
    image = random_image(61, 45)
    result = upscaler(image, bits=bits)
    np.testing.assert_array_equal(result.image, upscale(image, bits))
    assert (result.bit_map == bits).all()
    assert result.fab == bits


@settings(max_examples=40)
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 99))
def test_each_tile_runs_at_its_own_width(
    upscaler: Upscaler, height: int, width: int, seed: int
) -> None:
    image = contrasts(height, width, seed)
    result = upscaler(image)
    picture, bit_map = expected_result(image, result.plan.policy)
    np.testing.assert_array_equal(result.bit_map, bit_map)
    np.testing.assert_array_equal(result.image, picture)
    assert result.bit_map.dtype == np.uint8
    assert result.fab == pytest.approx(bit_map.mean())


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (16, 16), (17, 15), (2, 3)])
def test_tiny_and_narrow_pictures(upscaler: Upscaler, shape: tuple[int, int]) -> None:
    image = random_image(*shape)
    np.testing.assert_array_equal(upscaler(image, bits=8).image, upscale(image, 8))


def test_each_names_itself_in_a_line(upscaler: Upscaler) -> None:
    bundle = upscaler.bundle
    named = f"<Bundle '{bundle.path}': {bundle.manifest.network.name} x2>"
    assert repr(upscaler) == f"<Upscaler of {named} on {upscaler.engine_report().name}>"
    result = upscaler(np.zeros((20, 60, 3), np.uint8), bits=4)
    expected = f"120x40 pixels, {result.bit_map.size} tiles, FAB {result.fab:.2f}"
    assert repr(result) == f"<UpscaleResult: {expected}>"


def test_gray_stays_gray_and_alpha_goes_its_own_way(upscaler: Upscaler) -> None:
    image = random_image(40, 50, 4)
    image[..., 3] |= 1  # nothing is hidden
    gray = upscaler(image[..., 0], bits=6).image
    assert gray.shape == (80, 100)
    np.testing.assert_array_equal(gray, upscale(image[..., 0], 6))
    coloured = upscaler(image, bits=6).image
    np.testing.assert_array_equal(coloured[..., :3], upscale(image[..., :3], 6))
    alpha = cv2.resize(image[..., 3], (100, 80), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(coloured[..., 3].astype(int), alpha, atol=1)


def test_hidden_colours_do_not_show(upscaler: Upscaler) -> None:
    image = random_image(90, 50, 4)
    image[20:60, 10:40, 3] = 0
    other = image.copy()
    other[image[..., 3] == 0, :3] = (0, 255, 0)
    np.testing.assert_array_equal(upscaler(image).image, upscaler(other).image)


def test_the_number_of_threads_changes_nothing(bundle: Path) -> None:
    image = contrasts(200, 170)
    results = []
    for threads in (1, 2, 5):
        with Upscaler.open(bundle, threads=threads) as upscaler:
            assert upscaler.threads == threads
            results.append(upscaler(image))
    for result in results[1:]:
        np.testing.assert_array_equal(result.image, results[0].image)
        np.testing.assert_array_equal(result.bit_map, results[0].bit_map)


def test_progress_counts_every_tile(upscaler: Upscaler) -> None:
    seen: list[tuple[int, int]] = []
    result = upscaler(random_image(50, 50), progress=lambda done, total: seen.append((done, total)))
    count = result.plan.count
    assert seen == [(number, count) for number in range(1, count + 1)]


def test_timings_are_told(upscaler: Upscaler) -> None:
    timings = upscaler(random_image(100, 100)).timings
    for stage in ("decode", "cut", "predict", "run", "stitch", "encode"):
        assert getattr(timings, stage).wall > 0
    assert timings.elapsed >= timings.stitch.wall


def test_wrong_arguments_are_sentences(upscaler: Upscaler, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="an image must be uint8"):
        upscaler(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="unknown engine 'abacus'"):
        Upscaler.open(upscaler.bundle.path, engine="abacus")
    with pytest.raises(RequestError, match="policy must be 'uniform' or 'paper', not 'other'"):
        Upscaler.open(upscaler.bundle.path, policy="other")  # type: ignore[arg-type]
    narrow = write_tiny_bundle(tmp_path / "narrow", bit_widths=(4, 8))
    with Upscaler.open(narrow) as other, pytest.raises(BundleError, match="no subgraph of 5 bits"):
        other(random_image(4, 4), bits=5)


def test_a_request_is_its_choices(upscaler: Upscaler) -> None:
    image = random_image(20, 30)
    request = Request(bits=5, policy=upscaler.policy)
    np.testing.assert_array_equal(upscaler(image, request).image, upscaler(image, bits=5).image)
    with pytest.raises(RequestError, match="give a request or bits, not both"):
        upscaler(image, request, bits=5)
    with pytest.raises(RequestError, match="bits must be 'auto', 4, 5, 6 or 8, not '4'"):
        upscaler(image, bits="4")  # type: ignore[arg-type]
    other = Request(policy=next(policy for policy in POLICIES if policy != upscaler.policy))
    with pytest.raises(RequestError, match=f"this Upscaler was opened for '{upscaler.policy}'"):
        upscaler(image, other)


def test_an_engine_error_stops_everything(tmp_path: Path) -> None:
    broken = write_tiny_bundle(tmp_path / "bundle")
    (broken / "8.onnx").write_bytes(b"no model")
    seal(broken)
    (tmp_path / "in.png").write_bytes(png_bytes(random_image(100, 100)))
    with Upscaler.open(broken) as upscaler:
        with pytest.raises(EngineError, match="refuses"):
            upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png", bits=8)
        assert not (tmp_path / "out.png").exists()
        assert upscaler(random_image(20, 20), bits=4).fab == 4  # and it can be used again


# Files


def read(path: Path) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        return reader.read_rows(reader.height)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_file_gives_what_the_array_gives(
    upscaler: Upscaler, tmp_path: Path, channels: int, suffix: str
) -> None:
    image = random_image(70, 55, channels)
    (tmp_path / "in.png").write_bytes(png_bytes(image))
    result = upscaler.upscale_file(tmp_path / "in.png", tmp_path / f"out{suffix}")
    if channels == 2:
        twice = upscaler(np.dstack([image[..., :1].repeat(3, axis=2), image[..., 1:]]))
        expected = twice.image[..., 2:]
    else:
        twice = upscaler(image[..., 0] if channels == 1 else image)
        expected = np.atleast_3d(twice.image)
    np.testing.assert_array_equal(read(tmp_path / f"out{suffix}"), expected)
    np.testing.assert_array_equal(result.bit_map, twice.bit_map)
    assert (result.size, result.output_size) == ((55, 70), (110, 140))
    assert result.notes == ()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_result_is_upright(upscaler: Upscaler, tmp_path: Path, orientation: int) -> None:
    image = random_image(40, 70)
    (tmp_path / "in.png").write_bytes(png_bytes(image, extra={b"eXIf": exif(orientation)}))
    result = upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png", bits=4)
    upright = apply_orientation(image, orientation)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), upscale(upright, 4))
    assert result.size == (upright.shape[1], upright.shape[0])


def test_16_bits_and_the_colour_profile(upscaler: Upscaler, tmp_path: Path) -> None:
    profile = srgb_like_profile()
    deep = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    (tmp_path / "in.png").write_bytes(png_bytes(deep, depth=16, extra=icc_chunk(profile)))
    result = upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png", bits=8)
    expected = upscale(np.rint(deep / 257).astype(np.uint8), 8)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
    with PictureReader(tmp_path / "out.png") as reader:
        assert reader.meaning.icc_profile == profile
    assert result.notes == ("16 bits per sample rounded to 8",)


def test_what_samples_mean_goes_along(upscaler: Upscaler, tmp_path: Path) -> None:
    chunks = {b"gAMA": (100_000).to_bytes(4, "big")}
    (tmp_path / "in.png").write_bytes(png_bytes(random_image(20, 30), extra=chunks))
    result = upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png")
    assert result.notes == ()
    with PictureReader(tmp_path / "in.png") as before, PictureReader(tmp_path / "out.png") as after:
        assert after.meaning == before.meaning
    result = upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.jpg")
    assert result.notes == (
        "what gAMA and cHRM said of the colours is written as a colour profile",
    )
    with PictureReader(tmp_path / "out.jpg") as reader:
        assert reader.meaning.icc_profile is not None


def test_the_bit_map_is_drawn(upscaler: Upscaler, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png_bytes(contrasts(80, 60)))
    upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png", bit_map=tmp_path / "map.png")
    drawing = read(tmp_path / "map.png")
    assert drawing.shape[0] > 900
    assert len(np.unique(drawing.reshape(-1, 3), axis=0)) > 100
    plain = upscaler(contrasts(80, 60)).image
    np.testing.assert_array_equal(read(tmp_path / "out.png"), plain)


def test_no_work_is_begun_if_the_result_has_no_place(upscaler: Upscaler, tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(png_bytes(random_image(40, 40)))
    started = []
    for target, drawing, sentence in [
        (source, None, "is an input"),
        (tmp_path / "a.png", source, "is an input"),
        (upscaler.bundle.path / "a.png", None, "lies in"),
        (tmp_path / "a.png", tmp_path / "a.png", "written twice"),
        (tmp_path / "a.gif", None, "must end in"),
    ]:
        with pytest.raises(OutputError, match=sentence):
            upscaler.upscale_file(
                source, target, bit_map=drawing, progress=lambda *_: started.append(1)
            )
    assert not started
    assert list(tmp_path.iterdir()) == [source]


def test_a_picture_is_never_replaced_by_its_own_result(upscaler: Upscaler, tmp_path: Path) -> None:
    source, other = tmp_path / "in.png", tmp_path / "other.png"
    source.write_bytes(png_bytes(random_image(100, 40)))
    other.hardlink_to(source)
    before = source.read_bytes()
    for target, drawing in [(source, None), (other, None), (tmp_path / "a.png", source)]:
        with pytest.raises(OutputError, match="is an input"):
            upscaler.upscale_file(source, target, bit_map=drawing, overwrite=True)
    assert source.read_bytes() == before


def test_only_a_picture_is_replaced(upscaler: Upscaler, tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    source.write_bytes(png_bytes(random_image(40, 40)))
    target.write_text("precious")
    with pytest.raises(OutputError, match="is not a picture of ours and is kept"):
        upscaler.upscale_file(source, target, overwrite=True)
    target.write_bytes(png_bytes(random_image(2, 2)))
    target.chmod(0o600)
    upscaler.upscale_file(source, target, bits=4, overwrite=True)
    assert target.stat().st_mode & 0o777 == 0o600
    np.testing.assert_array_equal(read(target), upscale(random_image(40, 40), 4))


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_truncated_picture_leaves_nothing(upscaler: Upscaler, tmp_path: Path, cut: float) -> None:
    encoded = cv2.imencode(".jpg", random_image(400, 40))[1].tobytes()
    source = tmp_path / "in.jpg"
    source.write_bytes(encoded[: int(len(encoded) * cut)])
    with pytest.raises(ImageError, match="is damaged or truncated"):
        upscaler.upscale_file(source, tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == [source]


def test_an_interruption_leaves_nothing(upscaler: Upscaler, tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(png_bytes(random_image(200, 200)))

    def interrupt(done: int, _: int) -> None:
        if done == 100:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        upscaler.upscale_file(source, tmp_path / "out.png", progress=interrupt)
    assert list(tmp_path.iterdir()) == [source]
    assert threading.active_count() <= before + upscaler.threads  # the pool's own


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_pictures_are_sentences(
    upscaler: Upscaler, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(png_bytes(random_image(20, 20)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    source, target = tmp_path / "fuzz.png", tmp_path / "out.png"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    try:
        upscaler.upscale_file(source, target)
    except ImageError:
        assert not target.exists()
    assert not list(tmp_path.glob("*.part"))


UPSCALE_FILE = """
import sys
from gdq_runtime import Upscaler
with Upscaler.open(sys.argv[1], threads=2) as upscaler:
    upscaler.upscale_file(sys.argv[2], sys.argv[3], bit_map=sys.argv[4])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read there")
def test_memory_does_not_grow_with_height(bundle: Path, tmp_path: Path) -> None:
    def peak(height: int) -> int:
        source = tmp_path / f"{height}.png"
        source.write_bytes(png_bytes(random_image(100, 300).repeat(height // 100, axis=0)))
        output, drawing = str(tmp_path / f"out{height}.png"), str(tmp_path / f"map{height}.png")
        return peak_of(UPSCALE_FILE, str(bundle), str(source), output, drawing)

    low, high = peak(1000), peak(10_000)  # the result has 3.6 and 36 MB of pixels
    assert high < low * 1.1


def test_flat_tiles_are_interpolated_and_reported(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "b", tile=TILE, overlap=OVERLAP)
    add_dial(folder)
    image = np.full((16, 40, 3), 200, dtype=np.uint8)
    image[:, 28:] = random_image(16, 12)
    with Upscaler.open(folder, threads=1) as opened:
        result = opened(image, fab=8)
        assert result.bit_map.tolist() == [[0, 0, 8]]
        assert result.fab == pytest.approx(8 / 3)
        assert result.network_fab == 8
        assert result.expected_loss == pytest.approx(0.01)
        # Interpolation keeps 200; the network would have added 8.
        assert (result.image[:, :40] == 200).all()
        result = opened(image, fab=8, flat_tiles="network")
        assert result.bit_map.tolist() == [[8, 8, 8]]
        assert result.fab == result.network_fab == 8


def test_a_fab_holds_in_every_picture(tmp_path: Path) -> None:
    """Bright tiles would get 8 bits each; in a picture of nothing else the budget runs out."""
    folder = write_tiny_bundle(tmp_path / "b", tile=TILE, overlap=OVERLAP)
    add_dial(folder)
    bright = random_image(100, 70) // 2 + 128
    with Upscaler.open(folder, threads=2) as opened:
        assert opened(bright, max_loss=0.2).fab == 8
        result = opened(bright, fab=6.5)
        assert 5.5 < result.fab <= 6.5
        for y, x in np.ndindex(result.bit_map.shape):
            own = np.s_[24 * y + 8 : 24 * y + 24, 24 * x + 8 : 24 * x + 24]
            expected = upscale(bright, int(result.bit_map[y, x]))
            if y < result.bit_map.shape[0] - 1 and x < result.bit_map.shape[1] - 1:
                np.testing.assert_array_equal(result.image[own], expected[own])
    with Upscaler.open(folder, threads=1) as opened:
        np.testing.assert_array_equal(opened(bright, fab=6.5).bit_map, result.bit_map)


def test_an_array_is_no_file(upscaler: Upscaler, tmp_path: Path) -> None:
    image: Any = random_image(4, 4)
    for files in ((image, tmp_path / "a.png"), (tmp_path / "a.png", image)):
        with pytest.raises(RequestError, match="must be the name of a file, not ndarray"):
            upscaler.upscale_file(*files)


SIX_AS_SLOW_AS_EIGHT = Costs({0: 0.1, 4: 4.0, 5: 5.0, 6: 8.0, 8: 8.0}, 0.1)


def test_a_width_that_another_is_as_fast_as_is_never_run(bundle: Path) -> None:
    image = random_image(16, 16) // 64 + 140  # the predictor gives 6 bits
    with Upscaler(Bundle.open(bundle), threads=1) as opened:
        assert opened(image, flat_tiles="network").bit_map.tolist() == [[6]]
    with Upscaler(Bundle.open(bundle), threads=1, costs=SIX_AS_SLOW_AS_EIGHT) as opened:
        result = opened(image)
        assert result.bit_map.tolist() == [[8]]
        np.testing.assert_array_equal(result.image, upscale(image, 8))
        assert opened(image, bits=6).bit_map.tolist() == [[6]]
    with Upscaler(
        Bundle.open(bundle), threads=1, policy="paper", costs=SIX_AS_SLOW_AS_EIGHT
    ) as opened:
        assert opened(image).bit_map.tolist() == [[6]]
        assert opened(image).spending is None


def test_a_speed_is_kept_in_every_picture(tmp_path: Path) -> None:
    """Bright tiles would get 8 bits each; in a picture of nothing else the time runs out."""
    folder = write_tiny_bundle(tmp_path / "b", tile=TILE, overlap=OVERLAP)
    add_dial(folder)
    bright = random_image(100, 70) // 2 + 128
    costs = Costs({0: 0.1, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}, 0.1)
    maps = []
    for threads in (1, 2):
        with Upscaler(Bundle.open(folder), threads=threads, costs=costs) as opened:
            result = opened(bright, speed=1.25)
            maps.append(result.bit_map.tolist())
            assert result.dial == (4, 8)
            assert result.spending is not None
            assert 1.25 <= result.spending.speed < 1.4
            assert (result.bit_map == 8).any()
            seconds = result.bit_map.size * 6.4 / 0.9 / threads
            held = opened(bright, max_seconds=seconds)
            assert held.bit_map.tolist() == maps[-1]
            assert held.spending is not None
            assert held.spending.expected_seconds is not None
            assert held.spending.expected_seconds <= seconds
    assert maps[0] == maps[1]


def test_a_request_is_checked_before_any_picture(bundle: Path) -> None:
    with Upscaler(Bundle.open(bundle), threads=1, costs=SIX_AS_SLOW_AS_EIGHT) as opened:
        opened.check(Request(8))
        for request in (Request(speed=1.5), Request(fab=5), Request(policy="paper")):
            with pytest.raises(RequestError):
                opened.check(request)
