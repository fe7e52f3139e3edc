"""Checkpoints: file -> state dict -> network, and back. Weights only, never code.

The network and its sizes are deduced from the keys and shapes of the weights; metadata is never
trusted. Nothing is allocated for a network until all of its shapes have been checked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import safetensors.torch
import torch
from torch import Tensor

from gdq_core.files.drafts import save_bytes
from gdq_core.files.outputs import Output, check_place
from gdq_core.files.recognition import CHECKPOINT_FORMAT, is_checkpoint
from gdq_models.errors import CheckpointError
from gdq_models.layouts.registry import to_our_layout
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.registry import build_network
from gdq_models.predictor.e2b import EntropyTable, load_entropy_table
from gdq_models.state_file import read_state_file
from gdq_models.wrapping import unwrap

_TABLE_KEY = "predictor.e2b.entropies"
_STATISTICS_KEY = "predictor.weights"
_PROVENANCE_KEY = "predictor.e2b.provenance"
_LOSSES_KEY = "predictor.held_out"

_VALUE_RANGES = (1.0, 255.0)

_State = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class LoadedCheckpoint:
    """A network and the file that it came from.

    Attributes:
        network: the network, in evaluation mode.
        sha256: hexadecimal SHA-256 of the file.
        name: name of the file without its suffix.
    """

    network: SuperResolutionNetwork
    sha256: str
    name: str


def load_checkpoint(
    path: Path, *, scale: int | None = None, entropy_table: Path | None = None
) -> LoadedCheckpoint:
    """Load a network with learned steps and a predictor, in our layout or the released one.

    Args:
        path: a safetensors file, or an archive written by ``torch.save``.
        scale: the only upscaling factor to accept; None accepts any.
        entropy_table: JSON file that replaces the checkpoint's table; the released checkpoint has
            none.

    Raises:
        CheckpointError: the file is damaged, of an unknown network, incomplete (the message names
            the key), without learned steps, or of another scale.
    """
    file = read_state_file(path)
    table = None if entropy_table is None else load_entropy_table(entropy_table)
    with _naming(path):
        state = to_our_layout(unwrap(file.tensors))
        _check_trained(state, path)
        if _STATISTICS_KEY in state:
            if table is not None:
                raise CheckpointError("its predictor has no entropy rule: omit the entropy table")
        elif table is not None:
            state |= _table_entries(table)
        elif _TABLE_KEY not in state:
            raise CheckpointError("it holds no entropy table: give one (E2B.json)")
        # Heads decide without what is known of their losses.
        network = _load_network(state, scale, required=lambda key: key != _LOSSES_KEY)
        _check_finished(network)
    return LoadedCheckpoint(network.eval(), file.sha256, path.stem)


def load_float_checkpoint(path: Path, *, scale: int | None = None) -> LoadedCheckpoint:
    """Load a network's weights, and its steps and predictor as far as the file has them.

    The file may have our layout or any of ``gdq_models.layouts``.

    Steps and predictor that are missing stay as in a new network. So does the value range: a file
    that does not state it (``value_range``) is taken to use the one of the network's class.

    Raises:
        CheckpointError: the file is damaged, of an unknown network, incomplete, or of another
            scale.
    """
    file = read_state_file(path)
    with _naming(path):
        network = _load_network(
            to_our_layout(unwrap(file.tensors)), scale, required=is_float_weight
        )
    return LoadedCheckpoint(network.eval(), file.sha256, path.stem)


def save_checkpoint(
    network: SuperResolutionNetwork, path: Path, *, overwrite: bool = False
) -> None:
    """Write a network as a safetensors file, whole or not at all.

    Weights that half precision represents exactly are stored in it; loading restores them.

    Raises:
        OutputError: the file exists and ``overwrite`` is false, it is not a checkpoint of ours,
            or it cannot be written.
    """
    check_place(Output(path, "a checkpoint", is_checkpoint), overwrite=overwrite)
    state = {key: _compact(value).contiguous() for key, value in network.state_dict().items()}
    metadata = {
        "format": CHECKPOINT_FORMAT,
        "network": network.name,
        "scale": str(network.scale),
    }
    save_bytes(path, safetensors.torch.save(state, metadata))


def round_weights(network: SuperResolutionNetwork) -> None:
    """Round the weights of all layers to half precision, which halves the file.

    A weight changes by at most 2^-11 of its value, which is a sixteenth of a step for the largest
    8-bit integer.
    """
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() >= 2 and bool(torch.isfinite(parameter.half()).all()):
                parameter.copy_(parameter.half())


def _compact(value: Tensor) -> Tensor:
    """Return a weight in half precision if that is exact; scalars and vectors unchanged."""
    if value.dtype != torch.float32 or value.dim() < 2:
        return value
    half = value.half()
    return half if torch.equal(half.float(), value) else value


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Prefix errors about a file's content with the file's name."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _check_trained(state: _State, path: Path) -> None:
    """Refuse float weights, with the command that makes a checkpoint of them."""
    if all(is_float_weight(key) or key in ("value_range", "mean") for key in state):
        calibrated = f"{path.stem}_calibrated.safetensors"
        raise CheckpointError(
            "it holds float weights, without steps for 4, 5, 6 and 8 bits; make a checkpoint of "
            f"them with: gdq-calibrate {quote(str(path))} -o {quote(calibrated)}"
        )


def _table_entries(table: EntropyTable) -> _State:
    return {
        _TABLE_KEY: torch.from_numpy(table.entropies),
        _PROVENANCE_KEY: torch.tensor([table.count, table.tile, table.scale]),
    }


def is_float_weight(key: str) -> bool:
    """Tell whether a state dict's key belongs to the network before quantization."""
    learned_later = (".act.steps", ".act.signed", ".act.initialised")
    return not (
        key.startswith("predictor.")
        or key in ("value_range", "mean")
        or key.endswith(learned_later)
        or ".weight_quantizer." in key
    )


def _load_network(
    state: _State, scale: int | None, required: Callable[[str], bool]
) -> SuperResolutionNetwork:
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    # On the meta device a network takes no memory: its shapes are compared before it takes any.
    with torch.device("meta"):
        expected = build_network(shapes)
    if scale is not None and expected.scale != scale:
        raise CheckpointError(f"the network upscales by {expected.scale}, not by {scale}")
    state = _as_expected(state, expected.state_dict(), required)
    _check_values(state)
    network = build_network(shapes)
    network.load_state_dict(state, strict=False)
    return network


def _as_expected(state: _State, expected: _State, required: Callable[[str], bool]) -> _State:
    """Check keys and shapes against the expected ones, and convert to the expected dtypes."""
    if missing := [key for key in expected if key not in state and required(key)]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise CheckpointError(f"missing keys: {', '.join(missing[:3])}{more}")
    if unknown := next((key for key in state if key not in expected), None):
        raise CheckpointError(f"the network has no key {unknown!r}")
    return {key: _converted(key, value, expected[key]) for key, value in state.items()}


def _converted(key: str, value: Tensor, expected: Tensor) -> Tensor:
    if value.shape != expected.shape:
        raise CheckpointError(
            f"{key!r} has shape {tuple(value.shape)}, expected {tuple(expected.shape)}"
        )
    if _kind(value.dtype) != _kind(expected.dtype):
        raise CheckpointError(f"{key!r} has dtype {value.dtype}, expected {expected.dtype}")
    return value.to(expected.dtype)


def _kind(dtype: torch.dtype) -> str:
    """Return the kind of a dtype: within one kind, conversion is allowed (half to single)."""
    if dtype == torch.bool:
        return "bool"
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "integer"


def _check_values(state: _State) -> None:
    for key, value in state.items():
        # A table that is still NaN is reported where it is needed.
        if key != _TABLE_KEY and not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{key!r} holds a value that is not a finite number")
        if key.endswith("running_var") and bool((value < 0).any()):
            raise CheckpointError(f"{key!r} holds a negative variance")
    if "value_range" in state and float(state["value_range"]) not in _VALUE_RANGES:
        raise CheckpointError(f"'value_range' must be one of {_VALUE_RANGES}")


def _check_finished(network: SuperResolutionNetwork) -> None:
    """Refuse steps that were never learned, and a predictor that cannot decide."""
    for name, layer in network.quantized_layers():
        steps = torch.cat([layer.act.steps, layer.weight_quantizer.step[None]])
        ready = torch.cat([layer.act.initialised, layer.weight_quantizer.initialised[None]])
        if not bool(ready.all()):
            raise CheckpointError(
                f"the steps of {name!r} were never learned: train them, or run gdq-calibrate"
            )
        if not bool((steps > 0).all()):
            raise CheckpointError(f"the steps of {name!r} must be positive")
    try:
        network.predictor.check()
    except ValueError as error:
        raise CheckpointError(str(error)) from error
