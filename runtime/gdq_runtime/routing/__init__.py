"""Which subgraph runs a tile, or that none has to."""
