"""Command line of the exporter."""
