"""All that knows a picture. Declares the kinds of component that pictures have."""

from ftaug.config.registry import Registry

augmentation = Registry("augmentation", given=("canvas", "rng"), modality="image", severity=None)
mix = Registry("mix", given=("inputs", "targets", "rng"), modality="image")
backbone = Registry("backbone", given=("classes",), modality="image")
dataset = Registry("dataset", given=("split",), modality="image")
