"""The components that every modality shares: optimizers, schedules, losses, metrics and exporters."""
