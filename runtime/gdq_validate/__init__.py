"""Proves a bundle: against ground truth, against torch, and its engines against each other."""
