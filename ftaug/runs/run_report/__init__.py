"""The report of runs: sections computed from a run folder, in the order in which a reader needs them."""
