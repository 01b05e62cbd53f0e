"""A self-contained HTML page: no request to any server, light and dark, for screens, phones and paper."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from ftaug.documents.palette import variables
from ftaug.errors import printable

STYLE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif;
  -webkit-text-size-adjust: 100%; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.0625rem; overflow-wrap: anywhere; }
section { margin: 1.4rem 0 0; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.subtitle, .legend, .name, figcaption { color: var(--faint); }
.subtitle { margin: .3rem 0 0; overflow-wrap: anywhere; }
.legend { margin: .8rem 0 1.6rem; font-size: .875rem; }
.name { font-size: .875rem; overflow-wrap: anywhere; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2; max-width: 56rem; }
.text + .text { margin-top: .5rem; padding-top: .5rem; border-top: 1px dashed var(--line); }
mark { color: inherit; border-radius: .2rem; padding: .1rem 0; print-color-adjust: exact; }
img { max-width: 100%; height: auto; border-radius: .3rem; }
@media (max-width: 40rem) { main { padding: 1.5rem .8rem; } }
@media print { body { background: none; font-size: 11pt; } main { max-width: none; padding: 0; } }
"""


def page(title: str, body: Iterable[str], style: str = "", script: str = "") -> str:
    """Return the page: its title, the lines of its body in HTML, and further CSS; only this script can run."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">',
            f"<title>{text(title)}</title>",
            f"<style>\n{variables()}\n{STYLE.strip()}\n{style.strip()}\n</style>\n</head>\n<body>\n<main>",
            *body,
            "</main>",
            *([f"<script>{script}</script>"] if script else []),
            "</body>\n</html>\n",
        ]
    )


def text(content: str) -> str:
    """Escape a text for HTML, control characters too."""
    return escape(printable(content))


def _policy(script: str) -> str:
    digest = b64encode(sha256(script.encode()).digest()).decode()
    scripts = f"; script-src 'sha256-{digest}'" if script else ""
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:{scripts}"
