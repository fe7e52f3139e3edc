"""What is exchanged with ``gdq_run``, the native program (docs/gdq_run.md)."""
