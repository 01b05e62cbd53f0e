"""What a command does to the machine: what it unpickles, writes, starts and contacts."""

import json
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from processes import in_child

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.bind")


def audited(action: Callable[[], int | None], folder: Path, mine: Collection[Path]) -> tuple[int, dict[str, list[str]]]:
    """Run an action in a forked process; return its exit code, and what it did outside of the folders `mine`."""
    record = folder / "audit.jsonl"
    allowed = [*(str(path.resolve()) for path in mine), os.devnull]

    def run() -> int | None:
        log = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def hook(event: str, arguments: tuple) -> None:
            if (kept := _seen(event, arguments, allowed)) is not None:
                os.write(log, (json.dumps(kept) + "\n").encode())

        sys.addaudithook(hook)
        return action()

    code = in_child(run)
    events: dict[str, list[str]] = {}
    for line in record.read_text().splitlines():
        kind, what = json.loads(line)
        events.setdefault(kind, []).append(what)
    return code, events


def _seen(event: str, arguments: Sequence[object], allowed: Sequence[str]) -> tuple[str, str] | None:
    if event == "pickle.find_class":
        return "unpickled", f"{arguments[0]}.{arguments[1]}"
    if event in PROGRAMS:
        return "started", str(arguments[0])
    if event in NETWORK:
        return "contacted", str(arguments[-1])
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        return _outside(path, allowed) if writes else None
    return _outside(arguments[0], allowed) if event in CHANGES else None


def _outside(path: object, allowed: Sequence[str]) -> tuple[str, str] | None:
    if isinstance(path, int):  # an open file, whose opening was seen
        return None
    named = Path(os.fsdecode(path))  # type: ignore[call-overload]
    place = named.parent.resolve() / named.name  # a link is itself what is renamed or removed
    return None if any(place.is_relative_to(each) for each in allowed) else ("wrote", str(place))
