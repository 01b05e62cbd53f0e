"""Whether the license of the pretrained weights allows what a model is exported for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.errors import NotReached

PERMISSIVE = frozenset(
    {
        *("0bsd", "afl-3.0", "apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "bsl-1.0"),
        *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0"),
        *("isc", "mit", "mit-0", "ncsa", "pddl", "postgresql", "psf-2.0", "unlicense", "wtfpl", "zlib"),
    }
)
"""Licenses that allow use, change and sale with at most a notice, by their SPDX identifiers in lower case."""


def require_permissive(provenance: Mapping[str, Any]) -> None:
    """Raise NotReached unless the license of the pretrained weights is known to be permissive; none need no license."""
    weights = provenance["weights"]
    source, license = weights["source"], weights["license"]
    if source == "none":
        return
    if license is None:
        raise NotReached(
            f"--require-license permissive: the license of the weights {source} is not known; look it up where they "
            "are from"
        )
    if license.lower() not in PERMISSIVE:
        raise NotReached(
            f"--require-license permissive: the weights {source} have the license {license}, which is not permissive"
        )
