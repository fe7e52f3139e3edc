"""Rewrites of a network, one small class each; ``order.py`` lists them."""
