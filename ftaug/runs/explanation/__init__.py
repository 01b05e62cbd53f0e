"""Explain the predictions of a trained model, with methods that were tested on it."""
