"""Prove a bundle: against ground truth, against torch, and every engine against the others."""
