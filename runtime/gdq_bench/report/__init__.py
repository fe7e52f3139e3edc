"""A result as text, as a page, and whether it may be trusted."""
