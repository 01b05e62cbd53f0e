"""The machine: devices, signals, storage, checkpoints and the run folder."""
