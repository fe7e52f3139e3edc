"""Tile -> bit-width: GBC (gate on the head's features) and E2B (entropy thresholds)."""
