"""Cycles of one tile on models of ARM processors: a stand-in for time where no phone is at hand.

qemu tells which blocks of instructions run and how often, LLVM's models what each costs.
docs/performance.md says what that leaves out.
"""
