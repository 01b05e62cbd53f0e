"""Explanations of audio predictions: values of parts in time and frequency, and the files that show them."""
