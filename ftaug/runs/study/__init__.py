"""A study: a folder of ordinary runs of one experiment file with overrides, shared by any number of processes."""
