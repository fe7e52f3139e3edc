"""Measures a bundle: all engines and floating point side by side, in one run on one device.

``protocol`` is what all results are, ``measure`` how they are found, ``report`` how they are shown;
``targets`` has one module per place, ``suite`` what this project promises of itself.
"""
