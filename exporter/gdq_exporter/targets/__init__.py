"""Lowered networks -> files of a format."""
