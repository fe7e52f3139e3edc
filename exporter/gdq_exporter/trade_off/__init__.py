"""What bits buy: errors of tiles at every width, and the resulting operating points."""
