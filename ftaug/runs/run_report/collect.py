"""The sections of a report in reading order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ftaug.interfaces.document import Section
from ftaug.runs.run_report.reported_run import ReportedRun

SectionOf = Callable[[ReportedRun], Section | None]
"""Computes a section; None where there is nothing to say."""

SECTIONS: Sequence[SectionOf] = ()
"""Sections of `ftaug report`, in reading order."""

AFTER_TRAINING: Sequence[SectionOf] = ()
"""Sections of the report that `ftaug train` ends with: those that take well under a second."""
