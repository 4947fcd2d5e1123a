"""Training: the loop, its configuration, history, run folders and model files."""
