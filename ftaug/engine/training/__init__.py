"""Training: the state of a run, the loop, evaluation and what can be fine-tuned."""
