"""Which bit-width a tile gets, written as rules on plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

LUMA = np.array([65.738, 129.057, 25.064]) / 256

TILES = {
    # one colour changes nowhere, so that its gradient is 0 by any order of adding
    "flat": np.full((16, 16, 3), (9, 130, 200)),
    "ramp": np.broadcast_to(np.arange(16)[:, np.newaxis, np.newaxis] * 3, (16, 16, 3)),
    "busy": np.random.default_rng(0).integers(0, 256, (16, 16, 3)),
    "uneven": np.random.default_rng(1).integers(0, 8, (5, 3, 3)),
}

DIAL: dict[str, Any] = {
    "signal": "entropy",
    "bin_edges": [0.5, 2.0],
    "points": [
        {"fab": 4, "loss_db": 0.5, "bit_widths": [4, 4, 4]},
        {"fab": 5, "loss_db": 0.25, "bit_widths": [4, 5, 6]},
        {"fab": 6.5, "loss_db": 0.125, "bit_widths": [5, 6, 8]},
        {"fab": 8, "loss_db": 0, "bit_widths": [8, 8, 8]},
    ],
    "predictor": {"fab": 5.5, "loss_db": 0.1875},
    "fixed": [{"fab": 4, "loss_db": 0.5}, {"fab": 8, "loss_db": 0}],
}
MARGIN = DIAL | {"signal": "gate_margin"}
FLAT = {"largest_gradient": 0.0, "loss_db": 0.0625}
"""Equality counts as flat: the tile of one colour lies exactly on the bound."""

BUNDLES: dict[str, dict[str, Any]] = {
    "all": {"bit_widths": [4, 5, 6, 8], "trade_off": DIAL, "flat_tiles": FLAT},
    "margin": {"bit_widths": [4, 5, 6, 8], "trade_off": MARGIN, "flat_tiles": None},
    "plain": {"bit_widths": [4, 5, 6, 8], "trade_off": None, "flat_tiles": None},
    "narrow": {"bit_widths": [4, 6], "trade_off": None, "flat_tiles": FLAT},
}

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    *((bundle, {}) for bundle in BUNDLES),
    *((bundle, {"flat_tiles": choice}) for bundle in ("all", "narrow", "plain")
      for choice in ("interpolate", "network")),
    ("all", {"policy": "paper"}),
    ("all", {"policy": "paper", "flat_tiles": "interpolate"}),
    *((bundle, {"bits": bits}) for bundle in ("all", "narrow") for bits in (4, 5, 8)),
    ("all", {"bits": 8, "flat_tiles": "interpolate"}),
    *(("all", {"fab": fab}) for fab in (3.99, 4, 4.99, 5, 6.5, 7, 8, 100)),
    *(("margin", {"fab": fab}) for fab in (5, 6.5)),
    ("plain", {"fab": 5}),
    ("plain", {"max_loss": 0.1}),
    # 0.0625 of each loss is interpolation's
    *(("all", {"max_loss": loss}) for loss in (0, 0.0624, 0.0625, 0.1875, 0.1874, 0.5625, 1)),
    *(("all", {"max_loss": loss, "flat_tiles": "network"}) for loss in (0, 0.125, 0.25)),
    *(("all", {"max_loss": loss, "flat_tiles": "interpolate"}) for loss in (0.0624, 0.0625)),
]  # fmt: skip

PREDICTIONS: list[dict[str, Any]] = [
    # logits, entropy and decision need not agree here: each rule reads one of them
    {"logits": [0.0, 0.25, 0.5], "entropy": 0.5, "bit_width": 4},
    {"logits": [0.0, 0.25, 0.75], "entropy": 0.75, "bit_width": 5},
    {"logits": [-1.0, 0.0, 1.0], "entropy": 2.0, "bit_width": 6},
    {"logits": [-1.5, 0.0, 1.0], "entropy": 2.25, "bit_width": 8},
    {"logits": [1.0, 0.0, -1.0], "entropy": 0.0, "bit_width": 8},
]


def gradient(tile: np.ndarray[Any, Any]) -> float:
    """Half the mean step of luma across plus half the mean step down."""
    luma = tile.astype(float) @ LUMA
    across = [abs(row[x + 1] - row[x]) for row in luma for x in range(len(row) - 1)]
    down = [abs(row[x + 1] - row[x]) for row in luma.T for x in range(len(row) - 1)]
    return float(sum(across) / len(across) + sum(down) / len(down)) / 2


def flat_bound(bundle: dict[str, Any], request: dict[str, Any]) -> dict[str, Any] | None:
    """The bundle's bound if flat tiles are interpolated; raises if they cannot be, as asked."""
    flat, asked = bundle["flat_tiles"], request.get("flat_tiles")
    room = request.get("max_loss", float("inf"))
    if asked == "interpolate":
        if flat is None or room < flat["loss_db"]:
            raise LookupError
        return dict(flat)
    by_default = request.get("policy") != "paper" and "bits" not in request
    if asked == "network" or flat is None or not by_default or room < flat["loss_db"]:
        return None
    return dict(flat)


def dial(bundle: dict[str, Any], request: dict[str, Any], lost: float) -> dict[str, Any] | None:
    """The position asked for: most bits for a FAB, fewest for a loss; raises if there is none."""
    if not {"fab", "max_loss"} & request.keys():
        return None
    if bundle["trade_off"] is None:
        raise LookupError
    points = bundle["trade_off"]["points"]
    if "fab" in request:
        affordable = [point for point in points if point["fab"] <= request["fab"]]
        return dict(affordable[-1])
    good = [point for point in points if point["loss_db"] + lost <= request["max_loss"]]
    return dict(good[0])


def width(
    bundle: dict[str, Any],
    request: dict[str, Any],
    position: dict[str, Any] | None,
    seen: dict[str, Any],
) -> int:
    """The bit-width of a tile that the network runs."""
    if "bits" in request:
        return int(request["bits"])
    if position is not None:
        by_entropy = bundle["trade_off"]["signal"] == "entropy"
        signal = seen["entropy"] if by_entropy else seen["logits"][2] - seen["logits"][0]
        edges = bundle["trade_off"]["bin_edges"]
        return int(position["bit_widths"][sum(edge < signal for edge in edges)])
    larger = [bits for bits in bundle["bit_widths"] if bits >= seen["bit_width"]]
    return int((larger or bundle["bit_widths"][-1:])[0])


def loss(
    bundle: dict[str, Any], request: dict[str, Any], position: dict[str, Any] | None, lost: float
) -> float | None:
    """What is expected to be lost, in dB; None if it was not calibrated."""
    if position is not None:
        return float(position["loss_db"] + lost)
    if bundle["trade_off"] is None:
        return None
    if "bits" not in request:
        return float(bundle["trade_off"]["predictor"]["loss_db"] + lost)
    known = {point["fab"]: point["loss_db"] for point in bundle["trade_off"]["fixed"]}
    return known[request["bits"]] + lost if request["bits"] in known else None


def decide(bundle: dict[str, Any], request: dict[str, Any]) -> dict[str, Any] | None:
    """What becomes of tiles; None if the bundle cannot do what is asked."""
    if request.get("bits", bundle["bit_widths"][0]) not in bundle["bit_widths"]:
        return None
    try:
        flat = flat_bound(bundle, request)
        lost = 0 if flat is None else flat["loss_db"]
        position = dial(bundle, request, lost)
    except (LookupError, IndexError):
        return None
    return {
        "interpolated": [
            name
            for name, tile in TILES.items()
            if flat is not None and gradient(tile) <= flat["largest_gradient"]
        ],
        "bit_widths": [width(bundle, request, position, seen) for seen in PREDICTIONS],
        "expected_loss_db": loss(bundle, request, position, lost),
        "is_bounded": "fab" in request,
    }


def create() -> dict[str, list[dict[str, Any]]]:
    return {
        "tiles": [
            {"name": name, "pixels": tile.tolist(), "gradient": gradient(tile)}
            for name, tile in TILES.items()
        ],
        "bundles": [{"name": name, **bundle} for name, bundle in BUNDLES.items()],
        "predictions": PREDICTIONS,
        "requests": [
            {"bundle": name, "request": request, "decided": decide(BUNDLES[name], request)}
            for name, request in REQUESTS
        ],
        "decisions": decisions(),
    }


def decisions() -> list[dict[str, Any]]:
    """The gate's and the entropy rule's common decision, as docs/bundle.md has it."""
    thresholds, gate, rule = [1.5, 2.75], (4, 6, 8), (4, 5, 8)
    cases = []
    for logits in (
        [2.0, 1.0, 0.0],
        [0.0, 1.0, 0.5],
        [0.0, 0.5, 1.0],
        [1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0],
    ):
        for entropy in (0.0, 1.5, 1.5625, 2.75, 2.875):
            chosen = gate[logits.index(max(logits))]
            if chosen == gate[-1]:
                chosen = rule[sum(threshold < entropy for threshold in thresholds)]
            cases.append(
                {
                    "gate_bit_widths": gate,
                    "thresholds": thresholds,
                    "bit_widths": rule,
                    "logits": logits,
                    "entropy": entropy,
                    "bit_width": chosen,
                }
            )
    return cases
