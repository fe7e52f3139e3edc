"""What is recognisably ours among the files of a user, so that a new one may replace it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

CHECKPOINT_FORMAT = "gdq-checkpoint"
"""Under ``format`` in the metadata of a safetensors file."""

PAGE_MARK = '<meta name="generator" content="gdq-'
"""In the head of every page that we write."""

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How PNG, JPEG, TIFF and BigTIFF begin."""

_HEAD = 4096
_LARGEST_HEADER = 16 << 20
_LARGEST_RESULT = 256 << 20


def is_picture(path: Path) -> bool:
    """Tell whether a file is a picture of a kind that we write."""
    return _begin(path, 8).startswith(_PICTURES)


def is_page(path: Path) -> bool:
    """Tell whether a file is a page that one of our commands wrote."""
    return PAGE_MARK.encode() in _begin(path, _HEAD)


def is_result(path: Path) -> bool:
    """Tell whether a file is the JSON of gdq-validate or gdq-bench."""
    content = read_json(path, _LARGEST_RESULT)
    return isinstance(content, dict) and isinstance(content.get("engines"), list)


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is a safetensors file that gdq-train or gdq-calibrate wrote."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _LARGEST_HEADER else None
    except (OSError, ValueError, RecursionError, struct.error):
        return False
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return isinstance(metadata, dict) and metadata.get("format") == CHECKPOINT_FORMAT


def read_json(path: Path, largest: int) -> Any:
    """Return the content of a JSON file; None if it is none or has more than ``largest`` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
        return None if len(content) > largest else json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None


def _begin(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""
