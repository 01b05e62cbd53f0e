"""Exports of a run: folders, parity checks against the model, and reports."""
