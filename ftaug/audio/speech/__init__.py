"""Synthetic speech: words from formulas, in random voices."""
