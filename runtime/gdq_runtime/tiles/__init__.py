"""How a picture is cut into tiles, run tile by tile, and put together again."""
