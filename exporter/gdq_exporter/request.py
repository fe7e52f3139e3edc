"""Checks of what an export was asked for, before torch is loaded and any work begins."""

from __future__ import annotations

from pathlib import Path

from gdq_core.files.outputs import check_outputs
from gdq_core.pictures.folders import find_pictures
from gdq_exporter.bundle_writer import bundle_output
from gdq_exporter.config import ExportConfig
from gdq_exporter.errors import ExportError
from gdq_models.state_bytes import check_state_file


def check_request(checkpoint: Path, bundle: Path, config: ExportConfig) -> None:
    """Make sure that all inputs are there and that nothing of the user's is in the way.

    Raises:
        OutputError: the bundle exists and must not be replaced, overlaps an input, or cannot be
            written.
        CheckpointError: there is no checkpoint, or none of the small network.
        ImageError: there are no photos to calibrate on.
        ExportError: the entropy table cannot be read.
    """
    given = (checkpoint, config.small, config.calibration, config.entropy_table)
    inputs = [path for path in given if path is not None]
    check_outputs([bundle_output(bundle)], inputs, overwrite=config.overwrite)
    check_state_file(checkpoint)
    if config.small is not None:
        check_state_file(config.small)
    if config.calibration is not None:
        find_pictures(config.calibration)
    if config.entropy_table is not None:
        _check_readable(config.entropy_table)


def _check_readable(path: Path) -> None:
    try:
        if not path.is_fifo():  # a pipe is opened once
            path.open("rb").close()
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror}") from error
