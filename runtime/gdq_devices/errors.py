"""What can go wrong with a device, and what is not wrong but only not to be had."""

from __future__ import annotations


class UnavailableError(Exception):
    """It cannot be had here, by no fault of the project; the message is the reason."""


class SetupError(Exception):
    """It was to be had, and setting it up failed."""


class ProgramError(Exception):
    """A program on a device failed, or a file did not get there; the message holds the reason."""
