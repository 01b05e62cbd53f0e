"""Verify the files of a run folder."""
