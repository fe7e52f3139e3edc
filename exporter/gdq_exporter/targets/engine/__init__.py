"""Lowered networks -> the packed model of our own engine, one file for all bit-widths."""
