"""Find earlier runs of the same experiment and data in other folders, which the user may want to continue."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ftaug.engine.system.run_files import MODEL_FILE, STATUS_FILE, read_json
from ftaug.errors import BadData


def similar_runs(run: Path, name: str, digest: str, data: Mapping[str, str], folders: Iterable[Path]) -> list[Path]:
    """Find other runs named `NAME-*` with the same experiment digest and data fingerprints."""
    candidates = {path.resolve(): path for folder in folders for path in sorted(folder.glob(f"{name}-*"))}
    return [path for place, path in candidates.items() if place != run.resolve() and _is_similar(path, digest, data)]


def _is_similar(path: Path, digest: str, data: Mapping[str, str]) -> bool:
    try:
        status, facts = (read_json(path / file) or {} for file in (STATUS_FILE, MODEL_FILE))
    except (BadData, OSError):
        return False
    return status.get("digest") == digest and facts.get("data") == data
