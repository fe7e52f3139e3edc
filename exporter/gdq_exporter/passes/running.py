"""Running passes one after the other, so that whichever fails is named."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

from gdq_exporter.errors import ExportError


def run_passes(model: ir.Model, passes: Iterable[ir.passes.PassBase], stage: str) -> ir.Model:
    """Run passes in order; each checks what it requires before and ensures after.

    Args:
        model: may be changed.
        passes: in their order.
        stage: of the network, as an adverbial: "at 4 bits".

    Raises:
        ExportError: a pass refuses the network, or fails, which is our own mistake.
    """
    done: list[str] = []
    for one in passes:
        name = type(one).__name__
        try:
            model = one(model).model
        except ExportError as error:
            raise ExportError(f"{error} ({name}, {stage})") from error
        except Exception as error:  # whatever it is, the user must learn that it is our mistake
            raise ExportError(
                f"{name} failed {stage}, after {', '.join(done) or 'no other pass'}: "
                f"{_reason(error)}; please report this"
            ) from error
        done.append(name)
    return model


def _reason(error: Exception) -> str:
    """Return what was wrong; ONNX IR keeps that as the cause of its own error."""
    cause = error.__cause__ if isinstance(error, ir.passes.InvariantError) else None
    told = cause or error
    return " ".join(str(told).split())[:300] or type(told).__name__
