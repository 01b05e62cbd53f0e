"""The standard streams of a process that must not end because nobody reads what it prints."""

import io
import os
import select
import sys
from typing import Any


class ReaderGone(BrokenPipeError):
    """Whoever read stdout has gone, and the command has no other purpose than to print."""


class StandardStream(io.FileIO):
    """Stdout or stderr; what cannot be delivered is dropped.

    Stderr drops what any error keeps it from writing. Stdout drops only what comes after its reader has gone, or
    raises ReaderGone then if `needs_reader` is set; other errors, such as a full disk, are raised.
    """

    needs_reader = False

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: Any) -> int:
        """Write bytes, and wait where a terminal or pipe is in non-blocking mode and full."""
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
            return written
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                descriptor = os.open(os.devnull, os.O_WRONLY)
                os.dup2(descriptor, self.fileno())
                os.close(descriptor)
                if self.needs_reader:
                    raise ReaderGone from None
            elif self.fileno() != 2:
                raise
            return len(data)


def open_streams() -> None:
    """Replace streams that are closed, let stdout and stderr outlive their readers, and stdout print any name.

    Where stdout's encoding lacks a letter, as Latin-1 does, the letter's code is shown.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # or the next file would be opened as one of these
        pass
    os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or os.fdopen(number, "r" if number == 0 else "w", closefd=False)
        for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr))
    )
    in_unicode = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    sys.stdout = _lasting(sys.stdout, "surrogateescape" if in_unicode else "backslashreplace")
    sys.stderr = _lasting(sys.stderr, "backslashreplace")


def require_reader() -> None:
    """Let a command that only prints end when nobody reads stdout any more."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, StandardStream):
        raw.needs_reader = True


def _lasting(stream: Any, errors: str) -> Any:
    """The same stream with a StandardStream below it; a stream that is not a file stays as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(StandardStream(stream.fileno())),
        stream.encoding,
        errors,
        line_buffering=stream.line_buffering
        or stream.write_through,  # of PYTHONUNBUFFERED: the buffer below holds back
    )
