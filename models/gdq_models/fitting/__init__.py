"""From a float network to a Granular-DQ network without training: steps, entropy table, gate."""
