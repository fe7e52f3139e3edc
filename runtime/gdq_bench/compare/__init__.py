"""Two results side by side: which rows are faster, slower, the same, and which cannot be told."""
