"""Samples and what becomes of them, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftaug.augment import summary
from ftaug.interfaces.preview import Row
from ftaug.text.augmentations.pipeline import SECOND
from ftaug.text.preview.trials import Trial


def values_in_short(trial: Trial) -> str:
    """What one op drew, for both texts of a pair if there are two."""
    if len(trial.changes) == 1:
        return summary.of_values(trial.drawn)
    drawn = [(1 + name.startswith(SECOND), summary.of_values({name: own})) for name, own in trial.drawn.items()]
    return "; ".join(f"{number}: {told}" for number, told in drawn if told)


def names_in_short(trial: Trial) -> str:
    """Which ops did something."""
    return ", ".join(dict.fromkeys(name.removeprefix(SECOND) for name in trial.drawn))


@dataclass(frozen=True)
class Version:
    """A sample after something was done to it, with what that was, for people and as JSON values."""

    heading: str
    note: str
    trial: Trial
    what: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """The version as JSON values; those of a pair's second text have keys that end in _2."""
        result: dict[str, Any] = {**self.what, "epoch": self.trial.epoch}
        for change, end in zip(self.trial.changes, ("", "_2"), strict=False):
            result[f"text{end}"] = change.after
            result[f"edits{end}"] = [edit._asdict() for edit in change.edits]
        return {**result, "drawn": self.trial.drawn}


@dataclass(frozen=True)
class Group:
    """Versions under a common title."""

    key: str  # among the JSON values
    title: str
    versions: Sequence[Version]


@dataclass(frozen=True)
class PreviewItem:
    """A sample and what became of it."""

    row: Row
    groups: Sequence[Group]

    def facts(self) -> dict[str, Any]:
        """All of it as JSON values."""
        first, second = self.row.raw
        result: dict[str, Any] = {"name": self.row.name, "labels": self.row.labels}
        result["original"] = {"text": first} | ({} if second is None else {"text_2": second})
        for group in self.groups:
            result.setdefault(group.key, []).extend(version.facts() for version in group.versions)
        return result
