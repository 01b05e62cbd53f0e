"""Results that a user requires of a run, such as `accuracy>=0.9`."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ftaug.errors import ExperimentError, NotReached, did_you_mean

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class Requirement:
    """A bound on one of the values that were measured."""

    name: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Read `NAME>=NUMBER`; raises ExperimentError."""
        match = re.fullmatch(r"\s*(\w+)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*", text)
        try:
            return cls(match[1], match[2], float(match[3])) if match else cls(text, "", float("x"))
        except ValueError:
            raise ExperimentError(f"--require '{text}': must be like accuracy>=0.9") from None


def check(requirements: Iterable[Requirement], values: Mapping[str, float]) -> None:
    """Raise NotReached for requirements that do not hold, ExperimentError for values that were not measured."""
    failed = []
    for wanted in requirements:
        if wanted.name not in values:
            raise ExperimentError(f"--require {wanted.name}: was not measured{did_you_mean(wanted.name, values)}")
        if not COMPARISONS[wanted.comparison](values[wanted.name], wanted.bound):
            failed.append(
                f"required {wanted.name} {wanted.comparison} {wanted.bound:g}, reached {values[wanted.name]:.4f}"
            )
    if failed:
        raise NotReached(*failed)
