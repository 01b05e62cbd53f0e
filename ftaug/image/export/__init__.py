"""Image preprocessing for exported models: ONNX graph, torch module, and Python source of the inference script."""
