"""Checks of what was written, with the real runtimes."""
