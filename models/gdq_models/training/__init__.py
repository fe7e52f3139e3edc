"""From a recipe and photos to a checkpoint: float weights, bit-widths, gate, then all together."""
