"""Check the data of an experiment: `ftaug doctor`."""
