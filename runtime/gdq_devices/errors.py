"""What can go wrong with a device, and what is merely unavailable."""

from __future__ import annotations

from gdq_core.errors import GdqError


class UnavailableError(Exception):
    """It is unavailable here, through no fault of the project; the message is the reason."""


class SetupError(Exception):
    """It is available, but setting it up failed."""


class ProgramError(GdqError):
    """A program on a device failed, or a file did not get there; the message holds the reason."""


class UnusableError(ProgramError):
    """A device cannot be measured on; the message says what to tap or type."""


class LostError(ProgramError):
    """A device does not answer: its cable is out, or it is frozen. It may come back."""


class KilledError(ProgramError):
    """A program on a device was ended by a signal, as the system does when memory is short."""
