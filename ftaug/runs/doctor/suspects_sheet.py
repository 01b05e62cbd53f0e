"""Choose the samples of the contact sheet: suspects by their label, and groups of duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ftaug.engine.system.storage import replace, storage_errors
from ftaug.interfaces.data_health import SheetRow
from ftaug.runs.doctor import duplicates
from ftaug.runs.doctor.examine import Diagnosis
from ftaug.runs.doctor.scan import Scan, data_health

SHEET_FILE = "suspects.png"
ABREAST = 8
MOST_ROWS = 12
"""Maximum number of rows of suspects, of duplicates, and of similar samples."""


def write(diagnosis: Diagnosis, folder: Path) -> Path | None:
    """Draw the sheet into a folder; None if there is nothing to draw."""
    rows = [*_suspects(diagnosis), *_duplicates(diagnosis), *_similar(diagnosis)]
    if not rows:
        return None
    subtitle = "labels that are probably wrong, and copies across splits or with different labels first"
    content = data_health(diagnosis.experiment.modality).sheet(rows, diagnosis.experiment.name, subtitle)
    if content is None:
        return None
    path = folder / SHEET_FILE
    with storage_errors(f"cannot write {path}"):
        folder.mkdir(parents=True, exist_ok=True)
        replace(path, content)
    return path


def _suspects(diagnosis: Diagnosis) -> Iterator[SheetRow]:
    """Yield a row for each label with suspects, those with the most first."""
    suspects, scan = diagnosis.suspects, diagnosis.scan
    if suspects is None:
        return
    by_label: dict[str, list[int]] = {}
    for place in range(suspects.count):
        by_label.setdefault(scan.sample(int(suspects.rows[place])).label, []).append(place)
    for label, places in sorted(by_label.items(), key=lambda item: -len(item[1]))[:MOST_ROWS]:
        cells = [
            (
                scan.sample(int(suspects.rows[place])).read(),
                f"rather {suspects.suggested(place)}: {Path(scan.sample(int(suspects.rows[place])).name).name}",
            )
            for place in places[:ABREAST]
        ]
        count = f"{len(places):,} suspect" + "s" * (len(places) != 1)
        yield SheetRow(f"labeled {label}", count, cells)


def _duplicates(diagnosis: Diagnosis) -> Iterator[SheetRow]:
    return _pair_rows(diagnosis.scan, diagnosis.duplicates.pairs, diagnosis.groups, "duplicates")


def _similar(diagnosis: Diagnosis) -> Iterator[SheetRow]:
    if diagnosis.similar is None:
        return iter(())
    pairs = diagnosis.similar.pairs
    return _pair_rows(diagnosis.scan, pairs, duplicates.group_ids(pairs, len(diagnosis.scan)), "similar")


def _pair_rows(scan: Scan, pairs: np.ndarray, group_of_row: np.ndarray, label: str) -> Iterator[SheetRow]:
    """Yield a row for each group of paired samples: across splits first, then with different labels."""
    groups: dict[int, dict[int, None]] = {}
    for first, second in pairs.tolist():
        groups.setdefault(int(group_of_row[first]), {}).update({first: None, second: None})

    def importance(rows: dict[int, None]) -> tuple[bool, bool]:
        samples = [scan.sample(row) for row in rows]
        return len({s.split.purpose for s in samples}) == 1, len({s.label for s in samples}) == 1

    for rows in sorted(groups.values(), key=importance)[:MOST_ROWS]:
        samples = [scan.sample(row) for row in list(rows)[:ABREAST]]
        splits = ", ".join(dict.fromkeys(sample.split.purpose for sample in samples))
        cells = [(s.read(), f"{s.split.purpose}, {s.label}: {Path(s.name).name}") for s in samples]
        yield SheetRow(label, f"{len(rows)} in {splits}", cells)
