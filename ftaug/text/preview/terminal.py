"""Terminal rendering of text previews, in color or as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions
from rich.text import Text

from ftaug.errors import printable
from ftaug.text.preview.diff import Piece, shortened
from ftaug.text.preview.versions import PreviewItem, Version
from ftaug.text.preview.visible import visible, visible_change

ADDED, REMOVED, FAINT = "bold green", "red strike", "dim"
SIDE = 18
"""Width of the heading column, in characters."""

WHOLE, CONTEXT = 1200, 240
"""Maximum length of an original, and of unchanged text between changes; longer text is elided in the middle."""


@dataclass(frozen=True)
class Screen:
    """Rich renderable of samples: changes in color, or without color as [-removed-]{+added+}."""

    title: str
    subtitle: str
    samples: Sequence[PreviewItem]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines to print."""
        yield Text.assemble((printable(self.title), "bold"), "  ", (printable(self.subtitle), FAINT))
        for item in self.samples:
            row = item.row
            yield Text()
            head = (printable(row.label_text), "bold"), "  ", (printable(row.name), FAINT)
            yield Text.assemble(*head)
            texts = [text for text in row.raw if text is not None]
            originals = [[Piece(text, text)] for text in texts]
            yield from self._entry(console, "original", "", originals, WHOLE)
            for group in item.groups:
                if group.versions:
                    yield Text(f"  {printable(group.title)}", FAINT)
                for version in group.versions:
                    yield from self._version(console, version)

    def _version(self, console: Console, version: Version) -> Iterator[Text]:
        trial = version.trial
        if trial.changed:
            parts = [change.pieces for change in trial.changes]
            yield from self._entry(console, version.heading, version.note, parts, CONTEXT)
        else:
            yield _beside(version.heading, Text("unchanged", FAINT))

    def _entry(
        self, console: Console, heading: str, note: str, texts: Sequence[Sequence[Piece]], longest: int
    ) -> Iterator[Text]:
        """Yield lines: heading and note in the left column, the text, or numbered texts of a pair, on the right."""
        plain = console.color_system is None or console.no_color
        width = console.width - SIDE - 5
        lines: list[Text] = []
        for number, parts in enumerate(texts, 1):
            mark = f"{number} " if len(texts) > 1 else ""
            body = Text.assemble(*_spans(shortened(parts, longest), plain))
            wrapped = body.wrap(console, max(20, width - len(mark)), tab_size=4)
            lines += [
                Text.assemble((mark if i == 0 else " " * len(mark), FAINT), line) for i, line in enumerate(wrapped)
            ]
        notes: Iterable[Text] = Text(note, FAINT).wrap(console, SIDE - 2) if note else ()
        side = [Text(heading), *(Text.assemble("  ", line) for line in notes)]
        for left, right in zip_longest(side, lines, fillvalue=Text()):
            yield _beside(left, right)


def _beside(heading: str | Text, body: Text) -> Text:
    """Return a line: heading column, then text."""
    left = Text.assemble("    ", heading)
    left.pad_right(max(0, SIDE + 4 - left.cell_len))
    line = Text.assemble(left, " ", body)
    line.rstrip()
    return line


def _spans(parts: Iterable[Piece], plain: bool) -> Iterator[str | tuple[str, str]]:
    """Yield the pieces with their styles, or with diff marks if plain."""
    for piece in parts:
        before, after = visible_change(piece.before), visible_change(piece.after)
        if piece.kept:
            yield visible(piece.before)
        elif plain:
            yield f"[-{before}-]" * bool(before) + f"{{+{after}+}}" * bool(after)
        else:
            yield before, REMOVED
            yield after, ADDED
