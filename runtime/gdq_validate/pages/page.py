"""A validation as one page for people to read: numbers, bit maps, error maps, the dial."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from numpy.typing import NDArray

from gdq_core.bit_widths import name_of_route
from gdq_core.fidelity import squared_error
from gdq_runtime.bit_map_drawing import draw_bit_map
from gdq_runtime.bundle.manifest import Manifest
from gdq_validate.pages.trade_off_plot import TradeOffPlot, plot_trade_off
from gdq_validate.report import ImageReport, ValidationReport
from gdq_validate.validation import Upscaled

Picture = NDArray[np.uint8]

_PREVIEW = 720
"""Longer side of an embedded picture: sharp on a phone, yet forty still fit into an e-mail."""
_DETAIL = 112
"""Side of the detail that is shown pixel by pixel."""
_BRIGHTEST_ERROR = 32
"""Error in gray levels of luma at which the map is brightest; the same for all pictures."""


@dataclass(frozen=True)
class Card:
    """One picture on the page; pictures as data URIs."""

    report: ImageReport
    bit_map: str
    errors: str
    details: list[tuple[str, str]]
    """Title and picture."""


def make_card(report: ImageReport, made: Upscaled) -> Card:
    """Draw what the page shows of one picture, so that the picture itself need not be kept."""
    errors = np.sqrt(squared_error(made.routed, made.truth))
    levels = (errors * (255 / _BRIGHTEST_ERROR)).clip(0, 255).astype(np.uint8)
    heat = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    detail = _busiest(squared_error(made.bicubic, made.truth))
    ways = [
        ("bicubic", made.bicubic),
        ("routed", made.routed),
        ("all 8 bit", made.all_8_bit),
        ("float", made.float_network),
        ("ground truth", made.truth),
    ]
    return Card(
        report=report,
        bit_map=_embed_preview(draw_bit_map(made.truth, made.plan, made.bit_map, _caption(report))),
        errors=_embed_preview(np.asarray(heat, np.uint8)),
        details=[
            (title, _embed(image[detail], ".png")) for title, image in ways if image is not None
        ],
    )


def render_page(report: ValidationReport, manifest: Manifest, cards: list[Card]) -> str:
    """Render the page as one self-contained file."""
    pages = Environment(
        loader=PackageLoader("gdq_validate", "pages"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plot: TradeOffPlot | None = None
    if manifest.trade_off is not None and manifest.small is None:  # it is of the large one alone
        plot = plot_trade_off(manifest.trade_off, (report.network_fab, report.loss_db))
    template = pages.get_template("validation.html")
    return template.render(
        report=report, manifest=manifest, cards=cards, plot=plot, name_of_route=name_of_route
    )


def _caption(report: ImageReport) -> str:
    time, loss = report.milliseconds_per_tile, f"{report.loss_db:.3f} dB below all 8 bit"
    return loss if time is None else f"{time:.1f} ms a tile, {loss}"


def _busiest(errors: NDArray[np.float64]) -> tuple[slice, slice]:
    """Find where interpolation fails most, since there a network makes a difference."""
    side = min(_DETAIL, *errors.shape)
    means = cv2.boxFilter(errors, -1, (side, side), anchor=(0, 0))
    inside = means[: errors.shape[0] - side + 1, : errors.shape[1] - side + 1]
    top, left = np.unravel_index(np.argmax(inside), inside.shape)
    return slice(int(top), int(top) + side), slice(int(left), int(left) + side)


def _embed_preview(image: Picture) -> str:
    factor = min(1.0, _PREVIEW / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return _embed(np.asarray(smaller, np.uint8), ".jpg")


def _embed(image: Picture, suffix: str) -> str:
    encoded, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert encoded, f"OpenCV was built without {suffix}"
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
