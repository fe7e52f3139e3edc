"""TFLite: one file, a signature per bit-width and one for the predictor, every buffer once."""
