"""What a picture means, in the words of the format that it is written in."""

from __future__ import annotations

from dataclasses import replace

from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.colour.profile import describe, is_for, is_whole, keep_tones
from gdq_core.pictures.encoders.jpeg import LARGEST_PROFILE


def adapt(
    meaning: ColourMeaning, format_name: str, channels: int
) -> tuple[ColourMeaning, list[str]]:
    """Choose what a file says about its colours.

    Args:
        meaning: what is to be said.
        format_name: "png", "jpeg" or "tiff".
        channels: of the picture: up to 2 are gray.

    Returns:
        What the format can say, and sentences on what was left out or said in other words.

    """
    notes: list[str] = []
    if meaning.icc_profile is not None:
        profile, note = _adapt_profile(meaning.icc_profile, format_name, channels)
        meaning = replace(meaning, icc_profile=profile)
        notes += [note] if note else []
    if format_name == "png":
        return meaning, notes
    if meaning.icc_profile is None and meaning.is_said_without_profile:
        profile = describe(meaning, channels)
        meaning = replace(meaning, icc_profile=profile)
        said = "cICP" if meaning.cicp is not None else "gAMA and cHRM"
        notes.append(
            f"what {said} said of the colours is written as a colour profile"
            if profile is not None
            else f"{format_name.upper()} cannot say what {said} said of the colours, so that they "
            "will be shown differently; write .png"
        )
    return meaning, notes


def _adapt_profile(profile: bytes, format_name: str, channels: int) -> tuple[bytes | None, str]:
    """Return what a file can hold in place of a profile, and a note if that is another."""
    if not is_whole(profile):
        return None, "the colour profile is broken and was left out"
    if format_name == "png" and not is_for(profile, channels):  # libpng would refuse it
        tones = keep_tones(profile) if channels < 3 else None
        if tones is not None:
            return tones, "the colour profile is for RGB pictures; its tone curve was kept"
        kind = "gray" if channels < 3 else "RGB"
        return None, f"the colour profile is not for {kind} pictures and was left out"
    if format_name == "jpeg" and len(profile) > LARGEST_PROFILE:
        return None, "the colour profile is larger than JPEG takes and was left out"
    return profile, ""
