"""What routing gains over chance, on pictures whose ground truth is known."""
