"""Profiles are judged by littleCMS: what it shows, and what sRGB shows of the same light."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from core.pictures.profiles import large_profile
from gdq_core.pictures.colour.meaning import SRGB_CHROMATICITIES, ColourMeaning
from gdq_core.pictures.colour.profile import describe, is_for, is_whole, keep_tones

P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
P3_TO_XYZ = np.array(
    [[0.486571, 0.265668, 0.198217], [0.228975, 0.691739, 0.079287], [0, 0.045113, 1.043944]]
)
XYZ_TO_SRGB = np.array(
    [
        [3.24097, -1.53738, -0.49861],
        [-0.96924, 1.87597, 0.04156],
        [0.05563, -0.20398, 1.05697],
    ]
)


def srgb_encode(light: NDArray[np.float64]) -> NDArray[np.float64]:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255


def srgb_decode(samples: NDArray[np.uint8]) -> NDArray[np.float64]:
    x = samples / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def shown(profile: bytes, samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    gray = samples.ndim == 2
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        "L" if gray else "RGB",
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.NOOPTIMIZE,
    )
    return np.asarray(ImageCms.applyTransform(Image.fromarray(samples), transform))


SAMPLES = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize("gamma", [100_000, 45_455, 55_556])
def test_gamma(gamma: int) -> None:
    profile = describe(ColourMeaning(gamma=gamma), 3)
    assert profile is not None
    assert is_whole(profile)
    assert is_for(profile, 3)
    expected = srgb_encode((SAMPLES / 255) ** (100_000 / gamma))
    np.testing.assert_allclose(shown(profile, SAMPLES), expected, atol=1.6)


def test_gamma_of_gray() -> None:
    profile = describe(ColourMeaning(gamma=100_000), 1)
    assert profile is not None
    assert is_whole(profile)
    assert is_for(profile, 1)
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis]
    expected = srgb_encode(ramp / 255)
    np.testing.assert_allclose(shown(profile, ramp)[..., 1], expected, atol=1.6)


@pytest.mark.parametrize(
    "meaning", [ColourMeaning(cicp=(12, 13, 0, 1)), ColourMeaning(chromaticities=P3)]
)
def test_display_p3_by_either_word(meaning: ColourMeaning) -> None:
    profile = describe(meaning, 3)
    assert profile is not None
    light = srgb_decode(SAMPLES) @ (XYZ_TO_SRGB @ P3_TO_XYZ).T
    inside = ((light >= 0) & (light <= 1)).all(axis=2)  # elsewhere the gamut is clipped
    assert inside.sum() > 100
    np.testing.assert_allclose(
        shown(profile, SAMPLES)[inside], srgb_encode(light)[inside], atol=1.6
    )


def test_srgb_by_code_points_changes_nothing() -> None:
    profile = describe(ColourMeaning(cicp=(1, 13, 0, 1)), 3)
    assert profile is not None
    np.testing.assert_allclose(shown(profile, SAMPLES).astype(int), SAMPLES, atol=1)


@pytest.mark.parametrize(
    "meaning",
    [
        ColourMeaning(cicp=(9, 16, 0, 1)),  # PQ
        ColourMeaning(cicp=(9, 18, 0, 1)),  # HLG
        ColourMeaning(cicp=(12, 13, 0, 0)),  # studio range
        ColourMeaning(cicp=(10, 13, 0, 1)),  # XYZ
        ColourMeaning(chromaticities=(0,) * 8),
        ColourMeaning(chromaticities=(31270, 32900, *(30000, 30000) * 3)),
    ],
)
def test_what_no_simple_profile_says(meaning: ColourMeaning) -> None:
    assert describe(meaning, 3) is None


def test_equal_meanings_make_equal_files() -> None:
    meaning = ColourMeaning(gamma=100_000, chromaticities=SRGB_CHROMATICITIES)
    assert describe(meaning, 3) == describe(ColourMeaning(gamma=100_000), 3)


def test_a_broken_profile_is_seen() -> None:
    profile = large_profile(5000)
    assert is_whole(profile)
    assert not is_whole(profile[:-1])
    assert not is_whole(profile + b"\0")
    assert not is_whole(bytes(500))
    assert not is_whole(b"")
    far = profile[:140] + b"\xff\xff\xff\0" + profile[144:]  # the size of the first tag
    assert not is_whole(far)
    assert not is_for(profile, 1)


def test_the_tones_of_a_gray_picture_are_those_of_its_rgb_profile() -> None:
    rgb = describe(ColourMeaning(gamma=55_556), 3)
    assert rgb is not None
    gray = keep_tones(rgb)
    assert gray is not None
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis]
    expected = shown(rgb, ramp[..., np.newaxis].repeat(3, axis=2))
    np.testing.assert_allclose(shown(gray, ramp).astype(int), expected, atol=1)
