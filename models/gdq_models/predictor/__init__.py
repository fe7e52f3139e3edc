"""From a tile to its bit-width: GBC (gate on the head's features) and E2B (entropy thresholds)."""
