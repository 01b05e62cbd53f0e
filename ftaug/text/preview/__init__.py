"""Texts and their augmented versions, for the terminal and as HTML."""
