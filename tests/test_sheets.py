"""The sheets in the docs: all that the script makes, and nothing else, are shown."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "sheets"))


def test_the_docs_show_every_sheet():
    shown = re.findall(r"\(sheets/(\w+)\.png\)", (ROOT / "docs" / "preview.md").read_text())
    kept = sorted(path.stem for path in (ROOT / "docs" / "sheets").iterdir())
    assert sorted(shown) == kept == sorted(SCRIPT["SHEETS"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPT["SHEETS"])
def test_a_sheet_is_what_the_script_makes(name):
    assert (ROOT / "docs" / "sheets" / f"{name}.png").read_bytes() == SCRIPT["made"](*SCRIPT["SHEETS"][name])
