"""What can go wrong on a user's side; each error is one sentence that says what to do next.

Library code raises these; only ``cli/`` turns them into an exit code.
"""

from __future__ import annotations


class GdqError(Exception):
    """Input that cannot be used; the message is one sentence for a person."""


class BundleError(GdqError):
    """A bundle is missing, damaged or from another version."""


class ImageError(GdqError):
    """A file is not a picture, is damaged, or is of a kind that is refused."""


class OutputError(GdqError):
    """A result cannot be written where it was asked for."""


class EngineError(GdqError):
    """An inference engine is not installed or refuses a model."""


class RequestError(GdqError):
    """Settings contradict each other, or ask for what a bundle cannot give."""
