"""What the numbers in a picture mean: read from a file, and said again in another format."""
