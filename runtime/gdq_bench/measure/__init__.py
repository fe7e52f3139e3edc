"""What is timed, and how: engines, tiles, pictures, on a machine that is described."""
