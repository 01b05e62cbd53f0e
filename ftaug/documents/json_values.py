"""A report as JSON values: what its sections say, by the key of the section."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ftaug.interfaces.document import Report


def json_values(report: Report) -> dict[str, Any]:
    """Return the verdict, the alerts and the facts of all sections."""
    return {
        "title": report.title,
        "verdict": report.verdict,
        **report.facts,
        "alerts": [asdict(alert) for alert in report.alerts],
        "sections": {section.key: dict(section.facts) for section in report.sections},
    }
