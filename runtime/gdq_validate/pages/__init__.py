"""Results as pages for people to read."""
