"""Places to measure on, one module each; all return a ``protocol.BenchResult``."""
