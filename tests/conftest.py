"""What all tests need of the process that runs them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# One thread in each process, as in scripts/test; processes of other numbers of threads train to other bits.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell without job control starts background jobs deaf to Ctrl-C, and so would be what the tests start.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def write(tmp_path):
    """Write an experiment file below the test's folder."""

    def write(text: str, name: str = "experiment.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def problems(write):
    """What is wrong with a text, as lines that begin with `f.yaml`."""
    from ftaug.errors import ExperimentError
    from ftaug.experiment_file import load

    def problems(text: str, *overrides: str, **keywords: bool) -> list[str]:
        path = write(text, "f.yaml")
        with pytest.raises(ExperimentError) as error:
            load(path, overrides, **keywords)
        return str(error.value).replace(str(path), "f.yaml").splitlines()

    return problems


@pytest.fixture(scope="session", autouse=True)
def _save_figure() -> Iterator[Callable[..., None]]:
    """Save a picture of one pixel for every plot, as drawing takes 40 % of a short run; return what would draw it."""
    from matplotlib.figure import Figure
    from PIL import Image

    with pytest.MonkeyPatch.context() as patched:
        save = Figure.savefig
        patched.setattr(Figure, "savefig", lambda figure, file, **options: Image.new("L", (1, 1)).save(file, "PNG"))
        yield save


@pytest.fixture
def drawn_plots(_save_figure, monkeypatch):
    """Draw the plots of a test."""
    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", _save_figure)
