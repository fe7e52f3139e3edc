"""Schema of a validation's results, as written to JSON."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gdq_validate.agreement import Agreement
from gdq_validate.chance.report import AgainstChance
from gdq_validate.published import PublishedFigures, find_published

CEILING = 100.0
"""dB; stands for no difference at all, since JSON has no infinity."""

Decibels = Annotated[float, Field(le=CEILING, description="100 if nothing differs")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Figures(_Model):
    """How close one way of upscaling comes to the ground truth; luma, shaved by the scale."""

    psnr_y: Decibels
    ssim_y: float


class TileReport(_Model):
    """The part of the picture that one tile contributes."""

    row: int
    column: int
    bit_width: Annotated[int, Field(description="0 if it was interpolated")]
    psnr_y: Decibels
    psnr_y_all_8_bit: Decibels


class _Scores(Figures):
    fab: Annotated[float, Field(description="interpolated tiles count 0 bits")]
    network_fab: Annotated[float, Field(description="without interpolated tiles")]
    bitops: Annotated[float, Field(description="MACs x 8 x bits, float layers MACs x 32 x 32")]
    seam_ratio: Annotated[
        float | None, Field(description="squared error near tile borders over elsewhere")
    ]
    seam_ratio_bicubic: Annotated[
        float | None, Field(description="the same of interpolation, which knows no tiles")
    ]
    bit_widths: Annotated[dict[int, int], Field(description="bit-width -> tiles")]
    loss_db: Annotated[float, Field(description="PSNR below all tiles at the largest width")]
    milliseconds_per_tile: Annotated[
        float | None,
        Field(description="processor time on this device, as kept; null if not known"),
    ]
    speed: Annotated[
        float | None, Field(description="that of all tiles at the largest width, over it")
    ]
    bicubic: Figures
    all_8_bit: Annotated[Figures, Field(description="all tiles at the bundle's largest width")]
    float_network: Annotated[Figures | None, Field(description="torch, if a checkpoint was given")]


class ImageReport(_Scores):
    """One picture."""

    name: str
    width: int
    height: int
    same_decisions: Annotated[
        float | None, Field(description="share of tiles to which torch gives the same bit-width")
    ]
    torch: Annotated[Figures | None, Field(description="the quantized network in torch, routed")]
    tiles: list[TileReport]


class ValidationReport(_Scores):
    """A set of pictures: means over pictures; tiles are counted together."""

    bundle: str
    data: str
    network: str
    scale: int
    policy: Literal["uniform", "paper"]
    engine: str
    accelerator: str
    same_decisions: float | None
    torch: Figures | None
    published: Annotated[
        list[PublishedFigures], Field(description="of this set, network and scale, by its name")
    ]
    engines: Annotated[
        list[Agreement], Field(description="engines against each other, if they were compared")
    ] = []
    against_chance: Annotated[
        AgainstChance | None, Field(description="the dial beside chance, if it was compared")
    ] = None
    images: Annotated[list[ImageReport], Field(min_length=1)]


def summarise(
    images: list[ImageReport], *, data: str, network: str, scale: int, **facts: str
) -> ValidationReport:
    """Average over pictures; ``facts`` are the report's remaining fields."""
    widths: dict[int, int] = {}
    for image in images:
        for width, count in image.bit_widths.items():
            widths[width] = widths.get(width, 0) + count
    names = ("psnr_y", "ssim_y", "fab", "network_fab", "bitops", "loss_db")
    optional = (
        "milliseconds_per_tile",
        "speed",
        "seam_ratio",
        "seam_ratio_bicubic",
        "same_decisions",
    )
    columns = ("bicubic", "all_8_bit", "float_network", "torch")
    return ValidationReport.model_validate(
        {
            **facts,
            "data": data,
            "network": network,
            "scale": scale,
            "published": find_published(data, network, scale),
            "images": images,
            "bit_widths": dict(sorted(widths.items())),
            **{name: float(np.mean([getattr(image, name) for image in images])) for name in names},
            **{name: _mean([getattr(image, name) for image in images]) for name in optional},
            **{name: _mean_figures([getattr(image, name) for image in images]) for name in columns},
        }
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _mean_figures(figures: list[Figures | None]) -> Figures | None:
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    return Figures(
        psnr_y=float(np.mean([figure.psnr_y for figure in known])),
        ssim_y=float(np.mean([figure.ssim_y for figure in known])),
    )
