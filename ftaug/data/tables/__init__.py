"""Tables of samples, shared by all modalities: rows, targets, groups and splits."""
