"""Augmented versions of samples, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftaug.augment import summary
from ftaug.interfaces.preview import Row
from ftaug.text.augmentations.pipeline import SECOND
from ftaug.text.preview.trials import Trial


def values_in_short(trial: Trial) -> str:
    """Format the values that an op drew, for each text of a pair."""
    if len(trial.changes) == 1:
        return summary.of_values(trial.drawn)
    drawn = [(1 + name.startswith(SECOND), summary.of_values({name: values})) for name, values in trial.drawn.items()]
    return "; ".join(f"{number}: {text}" for number, text in drawn if text)


def names_in_short(trial: Trial) -> str:
    """Format the names of the ops that fired."""
    return ", ".join(dict.fromkeys(name.removeprefix(SECOND) for name in trial.drawn))


@dataclass(frozen=True)
class Version:
    """An augmented version of a sample, with a description of what was applied."""

    heading: str
    note: str
    trial: Trial
    what: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return the version as JSON values; keys of a pair's second text end in _2."""
        result: dict[str, Any] = {**self.what, "epoch": self.trial.epoch}
        for change, end in zip(self.trial.changes, ("", "_2"), strict=False):
            result[f"text{end}"] = change.after
            result[f"edits{end}"] = [edit._asdict() for edit in change.edits]
        return {**result, "drawn": self.trial.drawn}


@dataclass(frozen=True)
class Group:
    """Versions under a common title."""

    key: str  # JSON key
    title: str
    versions: Sequence[Version]


@dataclass(frozen=True)
class PreviewItem:
    """A sample and its augmented versions."""

    row: Row
    groups: Sequence[Group]

    def facts(self) -> dict[str, Any]:
        """Return the sample and its versions as JSON values."""
        first, second = self.row.raw
        result: dict[str, Any] = {"name": self.row.name, "labels": self.row.labels}
        result["original"] = {"text": first} | ({} if second is None else {"text_2": second})
        for group in self.groups:
            result.setdefault(group.key, []).extend(version.facts() for version in group.versions)
        return result
