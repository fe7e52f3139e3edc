"""The command ``gdq-bench``."""
