"""Exports of a run: where they lie, how they are compared with the model, and what is said of them."""
