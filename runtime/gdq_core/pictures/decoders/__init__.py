"""Readers of picture files; ``gdq_core.pictures.decode`` chooses among them."""
