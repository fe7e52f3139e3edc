"""ONNX: one graph per bit-width over one weight file, and the predictor."""
