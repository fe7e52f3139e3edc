"""The command ``gdq-validate``."""
