"""Tables of samples in files, as every modality reads them: rows, labels, numbers, groups and splits."""
