"""Components shared by all modalities: optimizers, schedules, losses, metrics, PEFT methods and exporters."""
