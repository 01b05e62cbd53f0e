"""How to train the run again: the command, the seed, the versions and the experiment file."""

from __future__ import annotations

import shlex
from pathlib import Path

from ftaug.engine.system.run_files import ENVIRONMENT_FILE, STATUS_FILE, fold_folder, read_json
from ftaug.interfaces.document import Block, Code, DataTable, Paragraph, Section
from ftaug.runs.run_report.reported_run import ReportedRun


def reproduction(run: ReportedRun) -> Section:
    """Show the command, what the result depends on, and the experiment file with its automatic choices."""
    folder = fold_folder(run.folder, 1) if run.settings.is_folds else run.folder
    environment = read_json(folder / ENVIRONMENT_FILE) or {}
    digest = (read_json(folder / STATUS_FILE) or {}).get("digest", "")
    command = _command(environment.get("command", []))
    values = {
        "seed": run.settings.seed,
        "hash of the experiment": str(digest)[:8],
        "checkpoint": str(run.results.get("checkpoint", "")),
        "Python": str(environment.get("python", "")),
        **{name: str(version) for name, version in environment.get("packages", {}).items()},
        "platform": str(environment.get("platform", "")),
        "processor": str(environment.get("cpu", "")),
        "devices": ", ".join(environment.get("devices", [])),
        "threads": str(environment.get("threads", "")),
        "git commit": str(environment.get("git") or ""),
        "weights": _weights(run),
    }
    rows = [(name, value) for name, value in values.items() if value]
    blocks: list[Block] = [
        *([Code(command)] if command else []),
        DataTable(("made with", "value"), rows),
        Paragraph("The experiment file with the settings that were chosen automatically:"),
        Code((folder / "resolved.yaml").read_text(encoding="utf-8", errors="replace")),
    ]
    return Section("reproduce", "How to reproduce", blocks, {"command": command, **values})


def _command(arguments: list[str]) -> str:
    """Return the command line with the program's plain name."""
    if not arguments:
        return ""
    name = Path(arguments[0]).name
    return shlex.join(["ftaug" if name in ("__main__.py", "ftaug") else name, *arguments[1:]])


def _weights(run: ReportedRun) -> str:
    origin = run.facts.get("weights_from") or {}
    known = [f"{name} {origin[name]}" for name in ("weights", "license") if isinstance(origin.get(name), str)]
    return ", ".join(known).removeprefix("weights ")
