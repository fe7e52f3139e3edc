"""Measures a bundle: all engines and floating point side by side, in one run on one device.

``protocol`` defines the results, ``measure`` finds them, ``report`` shows them; ``targets`` has one
module per place to measure on, and ``suite`` measures what this project promises.
"""
