"""Explanations of text predictions: values of words, and the files that show them."""
