"""E2B, entropy-to-bit: tiles for which the gate chose 8 bits get 4, 5 or 8 by their entropy.

The thresholds are quantiles of the entropies of a training set, kept as a table so that the
quantiles can be changed without the training set (paper, section 3.3).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gdq_core.files.text import save_text
from gdq_models.errors import CheckpointError

E2B_BIT_WIDTHS = (4, 5, 8)
"""Bit-widths for low, middle and high entropy."""

INITIAL_QUANTILES = (0.5, 0.9)
"""Where the paper's adaptive threshold calibration starts."""

TABLE_SIZE = 199
"""Entry i belongs to the quantile (i + 1) / 200: 0.5 %, 1 %, ..., 99.5 %."""

TABLE_QUANTILES = np.arange(1, TABLE_SIZE + 1) / (TABLE_SIZE + 1)

_TABLE_FORMAT = "gdq-entropy-table"
_LARGEST_TABLE_FILE = 1 << 20


@dataclass(frozen=True, eq=False)
class EntropyTable:
    """Entropies of a set of tiles, by quantile.

    Attributes:
        entropies: (199,) float64 in nats, not decreasing, at ``TABLE_QUANTILES``.
        count: number of tiles that the table was built from; here and below, 0 means unknown.
        tile: side of the tiles in low-resolution pixels, on which the table depends strongly.
        scale: upscaling factor for which the tiles were made.
    """

    entropies: NDArray[np.float64]
    count: int = 0
    tile: int = 0
    scale: int = 0

    def __post_init__(self) -> None:
        values = self.entropies
        if values.shape != (TABLE_SIZE,):
            raise ValueError(f"expected {TABLE_SIZE} entropies, got shape {values.shape}")
        if not np.isfinite(values).all() or values[0] < 0 or (np.diff(values) < 0).any():
            raise ValueError("entropies must be finite, not negative, and must not decrease")
        if not all(0 <= value < 1 << 48 for value in (self.count, self.tile, self.scale)):
            raise ValueError("count, tile and scale must be from 0 to 2^48 - 1")

    @classmethod
    def build(cls, entropies: Sequence[float], *, tile: int, scale: int) -> EntropyTable:
        """Build the table: entry i is ``H[floor(M (i + 1) / 200)]``, H the M sorted entropies.

        Raises:
            ValueError: there are no entropies.
        """
        ordered = np.sort(np.asarray(entropies, dtype=np.float64))
        if ordered.size == 0:
            raise ValueError("an entropy table needs at least one tile")
        index = ordered.size * np.arange(1, TABLE_SIZE + 1) // (TABLE_SIZE + 1)
        return cls(ordered[index], count=ordered.size, tile=tile, scale=scale)

    def at(self, quantile: float) -> float:
        """Return the entropy in nats at a quantile, interpolated between entries.

        Raises:
            ValueError: the quantile is outside (0, 1).
        """
        if not 0 < quantile < 1:
            raise ValueError(f"an entropy quantile must lie inside (0, 1), got {quantile}")
        return float(np.interp(quantile, TABLE_QUANTILES, self.entropies))


class EntropyToBit(nn.Module):
    """The two thresholds of E2B: 4 bits up to the first entropy, 5 up to the second, 8 above.

    Attributes:
        quantiles: (2,) float64, inside (0, 1).
        entropies: (199,) float64 in nats, the table; NaN until one is given.
        provenance: (3,) int64, count, tile and scale of the table.
    """

    quantiles: Tensor
    entropies: Tensor
    provenance: Tensor

    def __init__(self) -> None:
        super().__init__()
        quantiles = torch.tensor(INITIAL_QUANTILES, dtype=torch.float64)
        self.register_buffer("quantiles", quantiles)
        empty = torch.full((TABLE_SIZE,), math.nan, dtype=torch.float64)
        self.register_buffer("entropies", empty)
        self.register_buffer("provenance", torch.zeros(3, dtype=torch.int64))

    def set_table(self, table: EntropyTable) -> None:
        """Replace the table; the quantiles stay."""
        self.entropies.copy_(torch.from_numpy(table.entropies))
        self.provenance.copy_(torch.tensor([table.count, table.tile, table.scale]))

    def table(self) -> EntropyTable:
        """Return the table.

        Raises:
            ValueError: none was given, or its values are invalid.
        """
        if bool(torch.isnan(self.entropies).all()):
            raise ValueError("no entropy table was given")
        count, tile, scale = (int(value) for value in self.provenance.tolist())
        return EntropyTable(self.entropies.cpu().numpy().copy(), count, tile, scale)

    def thresholds(self) -> tuple[float, float]:
        """Return the two thresholds in nats.

        Raises:
            ValueError: there is no table, a quantile is outside (0, 1), or the quantiles decrease.
        """
        table = self.table()
        low, high = (table.at(float(quantile)) for quantile in self.quantiles.tolist())
        if low > high:
            raise ValueError(f"entropy quantiles must not decrease, got {self.quantiles.tolist()}")
        return low, high

    def forward(self, entropy: Tensor) -> Tensor:
        """Return the bit-width (N,) int64 for each entropy (N,) in nats."""
        low, high = self.thresholds()
        widths = torch.tensor(E2B_BIT_WIDTHS, device=entropy.device)
        return widths[(entropy > low).long() + (entropy > high).long()]


def load_entropy_table(path: Path) -> EntropyTable:
    """Load a table: ours, or the released ``E2B.json`` (keys "0.5", "1.0", ..., "99.5").

    Raises:
        CheckpointError: the file cannot be read, or is neither of the two.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TABLE_FILE + 1)  # a device has no size and never ends
        if len(content) > _LARGEST_TABLE_FILE:
            raise CheckpointError(f"{path} is too large for an entropy table")
        return _parse_table(json.loads(content.decode("utf-8")))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    # A deeply nested file exceeds the parser's recursion limit; the others are ours and json's.
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path} is not an entropy table: {error}") from error


def save_entropy_table(table: EntropyTable, path: Path) -> None:
    """Write a table as JSON for ``load_entropy_table``."""
    document = {
        "format": _TABLE_FORMAT,
        "count": table.count,
        "tile": table.tile,
        "scale": table.scale,
        "entropies": table.entropies.tolist(),
    }
    save_text(path, json.dumps(document, indent=1) + "\n")


def _parse_table(document: object) -> EntropyTable:
    if not isinstance(document, dict):
        raise TypeError("expected a JSON object")
    if document.get("format") == _TABLE_FORMAT:
        entropies = np.array([float(value) for value in document["entropies"]])
        origin = [int(document[key]) for key in ("count", "tile", "scale")]
        return EntropyTable(entropies, *origin)
    keys = [f"{percent / 2:.1f}" for percent in range(1, TABLE_SIZE + 1)]
    if missing := next((key for key in keys if key not in document), None):
        raise ValueError(f"the entry {missing!r} is missing")
    return EntropyTable(np.array([float(document[key]) for key in keys]))
