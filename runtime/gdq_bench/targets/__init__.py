"""Places to measure on, one module each; all answer with ``results.BenchResult``."""
