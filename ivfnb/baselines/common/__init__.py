"""What several comparison methods share: layers, weights and the reader of TensorFlow checkpoints."""
