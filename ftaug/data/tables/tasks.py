"""Possible tasks of a table dataset, from its settings alone."""

from ftaug.config.kinds import CLASSES
from ftaug.config.registry import Component
from ftaug.data.tables import soft_targets
from ftaug.data.tables.targets import targets
from ftaug.interfaces.data import TaskKind


def table_tasks(dataset: Component) -> tuple[TaskKind, ...]:
    """Return the possible tasks; raises ExperimentError for conflicting settings.

    A label column may hold lists, which only its cells reveal, so that it may be single-label or multi-label.
    """
    label, target, separator = (dataset.settings[key] for key in ("label", "target", "labels_separator"))
    classes = dataset.settings["classes"]
    if dataset.settings["soft"]:
        others = {"label": label, "target": target, "labels_separator": separator, "classes": classes}
        soft_targets.check_settings(dataset.name, others)
        return ("single_label",)
    targets(dataset.name, label=label, target=target, classes=classes, separator=separator)
    if target is not None:
        return ("regression",)
    return ("multi_label",) if separator is not None or isinstance(label, tuple) else CLASSES
