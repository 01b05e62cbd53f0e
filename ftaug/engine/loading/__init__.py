"""Data loading: splits, batches, workers and caches."""
