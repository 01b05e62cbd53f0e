"""Measure what each part of an experiment contributes: `ftaug ablate`."""
