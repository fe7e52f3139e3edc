"""What is timed, and how: engines, tiles and pictures, on a machine that is described."""
