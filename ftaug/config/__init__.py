"""Experiment files: from YAML to a validated `Experiment`, with the place of every problem."""
