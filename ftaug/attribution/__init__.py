"""What explanations of every modality share."""
