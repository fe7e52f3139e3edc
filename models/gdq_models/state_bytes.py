"""What can be checked in a checkpoint file without torch.

torch takes seconds to load; refusing a wrong path should not.
"""

from __future__ import annotations

import os
from pathlib import Path

from gdq_models.errors import CheckpointError

LARGEST_FILE = 1 << 30
"""Bytes of a file, and of all of its tensors together."""

_ZIP_MAGIC = b"PK\x03\x04"
_SAFETENSORS_HEADER_START = 8
_OLD_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""torch's magic number as a pickle, with which files begin that torch wrote before 1.6."""


def check_state_file(path: Path) -> None:
    """Refuse early what ``read_state_file`` would refuse by the file's size or first bytes.

    Raises:
        CheckpointError: the file cannot be read, is too large, or of another kind.
    """
    if not path.is_fifo():  # bytes read from a pipe could not be read again
        check_kind(read_state_bytes(path, len(_OLD_MAGIC)), path)


def read_state_bytes(path: Path, count: int = LARGEST_FILE) -> bytes:
    """Read the first bytes of a file, or all of them.

    Raises:
        CheckpointError: the file cannot be read or is too large.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST_FILE:
                raise CheckpointError(f"{path} is larger than {LARGEST_FILE >> 20} MiB")
            # A device or a pipe has no size; content cut off here is refused as damaged.
            return file.read(count)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{path} cannot be read: {reason}") from error


def check_kind(content: bytes, path: Path) -> None:
    """Make sure that a file begins like one of the supported kinds.

    Raises:
        CheckpointError: it does not.
    """
    if not (is_archive(content) or is_old(content) or _is_safetensors(content)):
        raise CheckpointError(
            f"{path} is neither a safetensors file nor an archive written by torch.save"
        )


def is_archive(content: bytes) -> bool:
    """Tell whether a file begins like an archive written by ``torch.save``."""
    return content.startswith(_ZIP_MAGIC)


def is_old(content: bytes) -> bool:
    """Tell whether a file begins like one written by ``torch.save`` before torch 1.6."""
    return content.startswith(_OLD_MAGIC)


def _is_safetensors(content: bytes) -> bool:
    return content[_SAFETENSORS_HEADER_START : _SAFETENSORS_HEADER_START + 1] == b"{"
