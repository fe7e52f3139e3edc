"""Read the tensors of a checkpoint file without trusting anything in it."""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gdq_models.errors import CheckpointError
from gdq_models.state_bytes import (
    LARGEST_FILE,
    check_kind,
    is_archive,
    is_old,
    read_state_bytes,
)

LONGEST_KEY = 200
"""Most characters that the key of a weight may have."""

_STATE_NAMES = ("params_ema", "params", "state_dict", "model")
"""What a state dict is called beside other things in a file (BasicSR, Lightning, and others).

The earlier wins: ``params_ema`` is what BasicSR tests with if it is there.
"""

_DEEPEST = 3
"""Most dicts around a state dict."""


@dataclass(frozen=True, eq=False)
class StateFile:
    """The content of a checkpoint file.

    Attributes:
        tensors: the state dict; only strided tensors on the CPU.
        sha256: hexadecimal SHA-256 of the file.
    """

    tensors: dict[str, Tensor]
    sha256: str


def read_state_file(path: Path) -> StateFile:
    """Read a safetensors file or an archive of ``torch.save``, recognised by its content.

    A file of ``torch.save`` may hold the state dict itself, or a dict that has it, or another such
    dict, under a name of ``_STATE_NAMES``.

    Raises:
        CheckpointError: the file cannot be read, is too large or damaged, is of another kind, or
            contains code.
    """
    content = read_state_bytes(path)
    check_kind(content, path)
    tensors: Mapping[Any, object]
    if is_archive(content):
        _check_archive(content, path)
        tensors = _unpickle(content, path)
    elif is_old(content):
        tensors = _unpickle(content, path)
    else:
        tensors = _parse_safetensors(content, path)
    return StateFile(_checked(tensors, path), hashlib.sha256(content).hexdigest())


def _parse_safetensors(content: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path} is a damaged safetensors file: {error}") from error


def _unpickle(content: bytes, path: Path) -> Mapping[Any, object]:
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than plain tensors; it was not loaded, because it could run code:"
            " save the network's state_dict() alone"
        ) from error
    # A hostile file can put anything on the restricted unpickler's stack and make it fail in any
    # way: no list of exceptions would be complete.
    except Exception as error:
        raise CheckpointError(f"{path} is a damaged archive of torch.save") from error
    loaded = _innermost(loaded)
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"{path} holds a {type(loaded).__name__} instead of a state dict")
    return loaded


def _innermost(loaded: object) -> object:
    """Return the state dict within dicts; a hostile dict may hold itself, so only so deep."""
    for _ in range(_DEEPEST):
        if not isinstance(loaded, Mapping):
            break
        inside = (loaded.get(name) for name in _STATE_NAMES)
        within = next((one for one in inside if isinstance(one, Mapping) and one), None)
        if within is None:
            break
        loaded = within
    return loaded


def _check_archive(content: bytes, path: Path) -> None:
    """Refuse an archive that would grow when unpacked; ``torch.save`` never compresses."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is a damaged archive of torch.save: {error}") from error
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise CheckpointError(f"{path} is a compressed archive; torch.save never compresses")
    if sum(entry.file_size for entry in entries) > LARGEST_FILE:
        raise CheckpointError(f"{path} unpacks to more than {LARGEST_FILE >> 20} MiB")


def _checked(tensors: Mapping[Any, object], path: Path) -> dict[str, Tensor]:
    checked: dict[str, Tensor] = {}
    total = 0
    for key, value in tensors.items():
        if not isinstance(key, str) or len(key) > LONGEST_KEY:
            raise CheckpointError(f"{path}: a key of the state dict is not the name of a weight")
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{path}: {key!r} of the state dict is not a tensor")
        if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
            raise CheckpointError(f"{path}: {key!r} is not a plain tensor")
        # An expanded tensor can claim any size without having allocated it.
        total += math.prod(value.shape) * value.element_size()
        checked[key] = value.detach()
    if total > LARGEST_FILE:
        raise CheckpointError(f"{path} holds more than {LARGEST_FILE >> 20} MiB of tensors")
    return checked
