"""Types of the settings that the table datasets of all modalities share."""

from __future__ import annotations

from typing import Annotated

from ftaug.config.types import Doc, FilePath, Text

TablePath = Annotated[
    FilePath,
    Doc(
        "the table; its ending says what it is: .csv, .tsv, .jsonl or .parquet. Columns of a .csv that are "
        "separated by semicolons, TABs or vertical bars are recognized from the header"
    ),
]
ClassOrder = Annotated[
    tuple[Text, ...] | None,
    Doc(
        "the classes in their order; otherwise those in the table, numbers by value, others in the order of their bytes"
    ),
]
Soft = Annotated[
    bool,
    Doc(
        "whether the columns `probability_CLASS` are soft targets: the training loss takes them as shares of the "
        "classes, and the class with the largest one is the label"
    ),
]
SplitColumn = Annotated[
    Text | None,
    Doc(
        "a column with train, val or test; only the rows of the split are used, and rows that no dataset of the "
        "experiment uses are counted before training"
    ),
]
