"""What few bits would cost a tile, told from its pixels alone: integers, alike everywhere."""
