"""What can go wrong with a device, and what is merely unavailable."""

from __future__ import annotations


class UnavailableError(Exception):
    """It is unavailable here, through no fault of the project; the message is the reason."""


class SetupError(Exception):
    """It is available, but setting it up failed."""


class ProgramError(Exception):
    """A program on a device failed, or a file did not get there; the message holds the reason."""
