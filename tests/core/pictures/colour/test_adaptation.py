from __future__ import annotations

from dataclasses import replace

import pytest

from core.made_pictures import srgb_like_profile
from core.pictures.profiles import large_profile
from gdq_core.pictures.colour.adaptation import adapt
from gdq_core.pictures.colour.meaning import (
    SRGB_CHROMATICITIES,
    SRGB_GAMMA,
    UNSAID,
    ColourMeaning,
)
from gdq_core.pictures.colour.profile import describe, is_for, is_whole
from gdq_core.pictures.encoders.jpeg import LARGEST_PROFILE

LINEAR = ColourMeaning(gamma=100_000)
HDR = ColourMeaning(cicp=(9, 16, 0, 1))


@pytest.mark.parametrize("meaning", [UNSAID, LINEAR, HDR, ColourMeaning(large_profile(3000))])
def test_png_says_everything(meaning: ColourMeaning) -> None:
    assert adapt(meaning, "png", 3) == (meaning, [])


@pytest.mark.parametrize("format_name", ["jpeg", "tiff"])
def test_others_say_it_by_a_profile(format_name: str) -> None:
    meaning, notes = adapt(LINEAR, format_name, 3)
    assert meaning.icc_profile is not None
    assert is_whole(meaning.icc_profile)
    assert notes == ["what gAMA and cHRM said of the colours is written as a colour profile"]
    meaning, notes = adapt(ColourMeaning(cicp=(12, 13, 0, 1)), format_name, 3)
    assert meaning.icc_profile is not None
    assert notes == ["what cICP said of the colours is written as a colour profile"]


def test_what_cannot_be_said_is_noted() -> None:
    meaning, notes = adapt(HDR, "jpeg", 3)
    assert meaning.icc_profile is None
    assert notes == [
        "JPEG cannot say what cICP said of the colours, so that they will be shown differently; "
        "write .png"
    ]


@pytest.mark.parametrize(
    "meaning",
    [
        UNSAID,
        ColourMeaning(srgb_intent=0),
        ColourMeaning(srgb_intent=0, gamma=100_000),
        ColourMeaning(gamma=SRGB_GAMMA, chromaticities=SRGB_CHROMATICITIES),
        ColourMeaning(gamma=SRGB_GAMMA),
    ],
)
def test_srgb_needs_no_words(meaning: ColourMeaning) -> None:
    assert adapt(meaning, "jpeg", 3) == (meaning, [])


def test_the_file_s_own_profile_goes_before_all_but_cicp() -> None:
    profile = large_profile(3000)
    meaning = ColourMeaning(profile, gamma=100_000)
    assert adapt(meaning, "jpeg", 3) == (meaning, [])
    both = replace(meaning, cicp=(1, 13, 0, 1))
    assert adapt(both, "jpeg", 3) == (both, [])


@pytest.mark.parametrize("format_name", ["png", "jpeg", "tiff"])
def test_a_broken_profile_is_left_out(format_name: str) -> None:
    meaning, notes = adapt(ColourMeaning(b"broken"), format_name, 3)
    assert meaning == UNSAID
    assert notes == ["the colour profile is broken and was left out"]


def test_of_an_rgb_profile_a_gray_png_keeps_the_tones() -> None:
    profile = large_profile(3000)
    meaning, notes = adapt(ColourMeaning(profile), "png", 1)
    assert notes == ["the colour profile is for RGB pictures; its tone curve was kept"]
    assert meaning.icc_profile is not None
    assert is_whole(meaning.icc_profile)
    assert is_for(meaning.icc_profile, 1)
    assert adapt(ColourMeaning(profile), "tiff", 1) == (ColourMeaning(profile), [])


def test_a_profile_of_other_pictures_is_left_out_of_png() -> None:
    without_curves = srgb_like_profile()
    assert adapt(ColourMeaning(without_curves), "png", 1) == (
        UNSAID,
        ["the colour profile is not for gray pictures and was left out"],
    )
    gray = describe(ColourMeaning(gamma=100_000), 1)
    assert adapt(ColourMeaning(gray), "png", 3) == (
        UNSAID,
        ["the colour profile is not for RGB pictures and was left out"],
    )


def test_a_profile_that_is_too_large_for_jpeg() -> None:
    """At most 255 segments of 65,535 bytes, less length, name, number and count."""
    assert LARGEST_PROFILE == 255 * (65_535 - 2 - 12 - 2)
    profile = large_profile(LARGEST_PROFILE + 1000)
    meaning, notes = adapt(ColourMeaning(profile), "jpeg", 3)
    assert meaning == UNSAID
    assert notes == ["the colour profile is larger than JPEG takes and was left out"]
    assert adapt(ColourMeaning(profile), "tiff", 3) == (ColourMeaning(profile), [])
