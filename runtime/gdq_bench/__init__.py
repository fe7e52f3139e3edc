"""Measures a bundle: all engines and floating point side by side, in one run on one device.

``clock``, ``statistics``, ``machine`` and ``results`` know nothing of where is measured;
``targets`` has one module per place.
"""
