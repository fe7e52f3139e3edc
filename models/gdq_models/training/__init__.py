"""Recipe and photos -> checkpoint: float weights, bit-widths, gate, and all of it together."""
