"""What must be equal to the bit after kills: weights, optimizer, average, metrics and the best checkpoint."""

import json
from pathlib import Path


def run_bits(run: Path) -> dict:
    """Read the results of a complete run, without what depends on the clock."""
    last = max((run / "checkpoints").glob("step-*"))
    state = json.loads((last / "state.json").read_text())
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {
        **{path.name: path.read_bytes() for path in last.glob("*.safetensors")},
        "progress": state["progress"],
        "best": (run / "best" / "model.safetensors").read_bytes(),
        "best step": str((run / "best").readlink()),
        "complete": json.loads((run / "complete.json").read_text()),
        "metrics": [{key: value for key, value in row.items() if key != "time"} for row in rows],
    }


def without_metadata(results: dict) -> dict:
    """Return results of a run without the metadata of its tensor files, which name the experiment and its paths."""

    def tensors(content: bytes) -> tuple[dict, bytes]:
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        return {name: entry for name, entry in header.items() if name != "__metadata__"}, content[end:]

    return {name: tensors(value) if isinstance(value, bytes) else value for name, value in results.items()}


def differing(one: dict, other: dict) -> list[str]:
    """Return the names of the results that differ."""
    return sorted(key for key in one | other if one.get(key) != other.get(key))
