"""What bits buy: errors of tiles at every width, and the operating points they give."""
