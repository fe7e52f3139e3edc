"""Rewrites of a network, one small class each; ``order.py`` says in which order."""
