"""The tasks that a table may have, by its dataset's settings alone."""

from ftaug.config.kinds import CLASSES
from ftaug.config.registry import Component
from ftaug.data.tables.targets import targets
from ftaug.interfaces.data import TaskKind


def table_tasks(dataset: Component) -> tuple[TaskKind, ...]:
    """The tasks that the samples may have; raises ExperimentError for settings that conflict.

    A label column may hold lists, which only its cells say: one class a sample, or several.
    """
    label, target, separator = (dataset.settings[key] for key in ("label", "target", "labels_separator"))
    classes = dataset.settings["classes"]
    targets(dataset.name, label=label, target=target, classes=classes, separator=separator)
    if target is not None:
        return ("regression",)
    return ("multi_label",) if separator is not None or isinstance(label, tuple) else CLASSES
