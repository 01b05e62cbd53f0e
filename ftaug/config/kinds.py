"""Component registries shared by all modalities. A modality declares its own registries in its `__init__`,
and may add its own components to a kind that is here."""

from ftaug.config.registry import Registry
from ftaug.interfaces.data import TaskKind

CLASSES: tuple[TaskKind, ...] = ("single_label", "multi_label")
ANY_TASK: tuple[TaskKind, ...] = (*CLASSES, "regression")

augmentation = Registry(
    "augmentation",
    given=("seen", "rng"),
    severity=None,
    standard=False,  # whether `ftaug ablate` tries to add it
)
mix = Registry("mix", given=("inputs", "targets", "rng"), tasks=ANY_TASK, standard=False)
optimizer = Registry(
    "optimizer",
    given=("groups",),
    whole_matrices=False,  # whether an update needs the whole gradient of a matrix, which train.shard splits
)
schedule = Registry("schedule", given=("step", "horizon"))
loss = Registry(
    "loss",
    given=("logits", "targets", "counts"),
    activation="softmax",
    soft_targets=True,
    tasks=CLASSES,  # the kinds of task that it fits
    ordered=False,  # whether the order of the classes means something
)
metric = Registry(
    "metric",
    given=("probabilities", "targets", "task"),
    higher_is_better=True,
    tasks=CLASSES,
    ordered=False,
    proportion=False,  # whether it is the share of samples that are right, whose uncertainty is a binomial's
)
exporter = Registry(
    "exporter",
    given=("bundle", "path"),
    suffix="",
    one_network=False,
    rounding=1e-3,  # the largest difference of a probability that its precision explains
    lossy=False,  # whether answers may differ, as far as its setting `tolerance` allows the metric to
)
method = Registry("method", given=("backbone", "learning"), learns="all", replaces_decay=False)
objective = Registry(
    "objective",
    given=("forward", "views", "targets", "loss"),
    tasks=ANY_TASK,
    learns_targets=True,  # whether the network learns to tell classes or numbers, and is measured by that
    compares=None,  # the activation by which it compares answers; a loss of another one does not go with it
    outputs=None,  # the outputs of the network instead of classes: "samples", or the setting with their number
    unlabeled=False,  # whether it also trains on samples without labels: `views` are then SemiSupervisedViews
    per_sample=True,  # whether it is a mean over samples, so that micro-batches add up to the step
    views=1,  # views of a sample that it takes, augmented independently, besides those of its setting `augmented`
)
sampler = Registry("sampler", given=("counts",), tasks=("single_label",))
logger = Registry("logger", given=("run",))
