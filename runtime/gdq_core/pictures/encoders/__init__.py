"""Writers of one file format each; ``gdq_core.pictures.encode`` chooses among them."""
