"""Text dataset from a table: CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.config.types import Text
from ftaug.data.tables import cells
from ftaug.data.tables.gathering import Faults, Table, gather
from ftaug.data.tables.settings import ClassOrder, Soft, SplitColumn, TablePath
from ftaug.data.tables.soft_targets import SoftTargets
from ftaug.data.tables.targets import Targets, targets
from ftaug.data.tables.tasks import table_tasks
from ftaug.text import dataset
from ftaug.text.datasets.in_memory import SHOWN, Collected, Empty, Lines, TextSamples, identity

MAY_DIFFER = 0.05
"""Tolerated share of texts that occur with different labels, as short texts of different authors do."""


@dataset.register(tasks=table_tasks)
def text_table(
    split: str,
    *,
    path: TablePath,
    text: Text | tuple[Text, Text] = "text",
    label: Text | tuple[Text, ...] | None = None,
    target: Text | tuple[Text, ...] | None = None,
    labels_separator: Text | None = None,
    group: Text | None = None,
    classes: ClassOrder = None,
    soft: Soft = False,
    split_column: SplitColumn = None,
    empty: Empty = "error",
) -> TextSamples:
    """Texts listed with their labels, or with numbers to predict, in a table: CSV, TSV, JSON Lines or Parquet.

    Settings:
        text: the column with the text, or a list of two columns for pairs of texts
        label: the column with the class, `label` unless set; or a list of columns of 0 and 1, one for each class of a
            multi-label task
        target: the column with the number to predict, or a list of such columns, instead of a label
        labels_separator: what separates the classes in the label column of a multi-label task, such as "|"; several
            rows of a text are joined
        group: a column; a split keeps texts with the same value there on one side; one without a value is a group of
            its own
        empty: error, or skip to leave out texts, and pairs with a text, of nothing but white space

    A label that is a list (JSON Lines, Parquet) makes the task multi-label too. Names are equal that differ in white
    space at their ends or in Unicode form. A text in several rows is on one side of a split. Texts are UTF-8 and are
    held in memory.
    Raises BadData naming the lines of what cannot be used.
    """
    columns = (text,) if isinstance(text, str) else text
    target_columns: Targets
    if soft:
        target_columns = SoftTargets("text_table", path)
    else:
        target_columns = targets("text_table", label=label, target=target, classes=classes, separator=labels_separator)
    collected = Collected(len(columns))

    def texts(values: Sequence[Any]) -> list[str]:
        return [cells.plain_text(column, value) for column, value in zip(columns, values, strict=True)]

    table = Table(
        *(
            "text_table",
            "text",
            path,
            columns,
            lambda values: identity(texts(values)),
            target_columns,
            group,
            split_column,
        ),
        differing=MAY_DIFFER,
    )
    gathered = gather(table, split, lambda line, values: collected.take(line, texts(values)), Faults(path))
    notes = collected.left_out(str(path), [f"line {line}" for line in collected.empty[:SHOWN]], empty)
    gathered.update(collected.digest)
    return TextSamples(
        collected.parts,
        Lines(str(path), collected.taken),
        gathered.targets,
        gathered.task,
        collected.digest.hexdigest(),
        (*target_columns.notes("text"), *gathered.notes, *notes),
        gathered.groups,
        gathered.split_rows,
        collected.keys,
        gathered.further_columns,
        gathered.soft_targets,
    )


def columns_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the text columns from the settings of a text_table."""
    text = settings["text"]
    return (text,) if isinstance(text, str) else tuple(text)
