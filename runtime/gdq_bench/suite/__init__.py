"""What docs/performance.md promises, measured: `make bench`.

Each benchmark is a module with one function that returns results; ``suite`` lists them. Times are
medians of interleaved rounds on pinned processors, and what matters is a ratio within one run.
"""
