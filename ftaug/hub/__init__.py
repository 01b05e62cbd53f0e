"""Models of the library transformers, from a folder or from the Hub: their files, stages and weights."""
