from __future__ import annotations

from typing import Any

import pytest

from gdq_exporter import DEFAULT_PROFILE, PROFILES, ExportConfig, ExportError


def test_defaults_are_valid() -> None:
    config = ExportConfig()
    assert (config.tile, config.overlap, config.profile) == (96, 6, DEFAULT_PROFILE)
    assert DEFAULT_PROFILE in PROFILES


@pytest.mark.parametrize(
    "settings",
    [
        {"tile": 16, "overlap": 8},
        {"tile": 1024, "overlap": 0},
        {"profile": "stream_float-tail_float"},
        {"calibration_tiles": 4},
        {"formats": ("tflite",)},
        {"formats": ("tflite", "engine")},
        {"formats": ("engine",)},
        {"formats": None},
        {"formats": None, "onnx_embed_weights": True},
        {"formats": ("engine", "onnx"), "onnx_embed_weights": True},
    ],
)
def test_the_ends_of_the_ranges_are_accepted(settings: dict[str, Any]) -> None:
    ExportConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"tile": 12}, "tile 12 must be a multiple of 4 from 16 to 1024"),
        ({"tile": 1028}, "tile 1028 must"),
        ({"tile": 98}, "tile 98 must"),
        ({"overlap": -1}, "overlap -1 must be from 0 to half of tile 96"),
        ({"tile": 16, "overlap": 9}, "overlap 9 must"),
        ({"profile": "fast"}, "profile 'fast' is unknown; choose one of stream_float"),
        ({"formats": ()}, "must be one or more"),
        ({"formats": ("onnx", "onnx")}, "each given once"),
        (
            {"formats": ("onnx", "mlmodel")},
            "format 'mlmodel' is unknown; choose one of onnx, tflite",
        ),
        (
            {"formats": ("tflite",), "onnx_embed_weights": True},
            "weights can only be embedded in ONNX graphs: add the format onnx",
        ),
        ({"calibration_tiles": 3}, "at least 4 calibration tiles are needed, got 3"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ExportError, match=complaint):
        ExportConfig(**settings)
