"""A result as text and as a page, and whether it can be trusted."""
