"""Describe the first bytes of a file that is not what its name says."""

from __future__ import annotations


def beginning(data: bytes) -> str:
    """Describe the first bytes of a file, as text if they are: it begins with '<html>'."""
    text = data[:24].decode("utf-8", "replace").split("\n")[0].strip()
    return f"it begins with '{text}'" if text.isprintable() and text else f"it begins with {data[:8].hex(' ')}"
