"""The demo from start to end, on a tiny network."""

from __future__ import annotations

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from factories import tiny_edsr
from gdq_models import save_checkpoint
from gdq_runtime import GdqError
from gdq_runtime.bundle.reader import Bundle

DEMO = runpy.run_path(str(Path(__file__).resolve().parents[2] / "examples/demo.py"))


def test_leaves_a_bundle_and_pictures_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_checkpoint(tiny_edsr(gate="group_norm"), tmp_path / "tiny.safetensors")
    DEMO["main"](Path("tiny.safetensors"), Path("demo"))
    assert Bundle.open("demo/bundle").manifest.network.scale == 2
    photo, upscaled = cv2.imread("demo/photo.png"), cv2.imread("demo/upscaled.png")
    assert photo is not None
    assert upscaled is not None
    assert upscaled.shape == (2 * photo.shape[0], 2 * photo.shape[1], 3)
    assert cv2.imread("demo/bit_map.png") is not None
    assert cv2.imread("demo/comparison.png") is not None
    said = capsys.readouterr()
    for words in ("demo/bundle", "demo/comparison.png", "FAB ", "gdq-upscale YOUR_PHOTO.jpg"):
        assert words in said.out
    assert "tracing edsr x2" in said.err


def test_a_missing_checkpoint_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GdqError, match=r"nothing\.safetensors"):
        DEMO["main"](tmp_path / "nothing.safetensors", tmp_path)


def test_comparison_shows_the_same_detail_three_times() -> None:
    generator = np.random.default_rng(0)
    photo = np.full((200, 300, 3), 128, np.uint8)
    photo[80:180, 120:270] = generator.integers(0, 256, (100, 150, 3))
    upscaled = photo.repeat(2, axis=0).repeat(2, axis=1)
    comparison = DEMO["compare"](photo, upscaled)
    first, _, last = np.split(comparison, 3, axis=1)
    expected = photo[80:180, 120:270].repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(first[32:, 4:-4], expected)
    np.testing.assert_array_equal(last[32:, 4:-4], expected)
