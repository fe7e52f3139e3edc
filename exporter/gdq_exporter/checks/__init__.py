"""What was written, looked at with the real runtimes."""
