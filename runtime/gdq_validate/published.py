"""What papers report on well-known test sets, to compare with what was measured."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_TABLE = "published.csv"
_OTHER_NAMES = {"bsd100": "b100", "bsds100": "b100"}


class PublishedFigures(BaseModel):
    """One row of a paper's table; luma, shaved by the scale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    fab: Annotated[float | None, Field(description="32 in float; none for interpolation")]
    psnr_y: float
    ssim_y: float
    source: str


def find_published(data: str, network: str, scale: int) -> list[PublishedFigures]:
    """Find what was published on a set, for interpolation and for one network.

    Args:
        data: name of the set's folder, in any case: Set5, Set14, B100, Urban100, Test2K, Test4K.
        network: as in the manifest.
        scale: upscaling factor.

    """
    wanted = _OTHER_NAMES.get(data.lower(), data.lower())
    text = files("gdq_validate").joinpath(_TABLE).read_text(encoding="utf-8")
    return [
        PublishedFigures(
            method=row["method"],
            fab=float(row["fab"]) if row["fab"] else None,
            psnr_y=float(row["psnr_y"]),
            ssim_y=float(row["ssim_y"]),
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
        if row["set"].lower() == wanted
        and int(row["scale"]) == scale
        and row["network"] in ("", network)
    ]
