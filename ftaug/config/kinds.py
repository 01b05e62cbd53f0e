"""The kinds of component that every modality shares. A modality declares its own kinds in its `__init__`,
and may have its own components of a kind that is here."""

from ftaug.config.registry import Registry

augmentation = Registry("augmentation", given=("seen", "rng"), severity=None)
optimizer = Registry("optimizer", given=("groups",))
schedule = Registry("schedule", given=("step", "horizon"))
loss = Registry("loss", given=("logits", "targets", "counts"), activation="softmax", soft_targets=True)
metric = Registry("metric", given=("probabilities", "targets", "task"), higher_is_better=True)
exporter = Registry("exporter", given=("bundle", "path"), suffix="")
objective = Registry("objective", given=("forward", "views", "targets", "loss"), tells_classes=True)
