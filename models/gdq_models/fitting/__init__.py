"""Float network -> Granular-DQ network without training: steps, entropy table, gate."""
