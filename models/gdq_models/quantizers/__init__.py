"""Learned-step quantization: activations at four widths, weights at eight bits."""
