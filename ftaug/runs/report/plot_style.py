"""The style of all plots: fonts, sizes, and the colors of Okabe and Ito, which color-blind readers can tell apart."""

from __future__ import annotations

import functools
import io
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ftaug.engine.system.storage import replace
from ftaug.errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
SKY, ORANGE, BLACK, GRAY = "#56b4e9", "#e69f00", "#000000", "#707070"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK)
"""Colors of lines without a color of their own, in this order."""

TRAIN, VAL, NEUTRAL = BLUE, VERMILION, GRAY
SEQUENTIAL = "cividis"
"""Color map of values, and of stages in their order."""

SHADES = "Blues"
"""Color map of shares, from none to all."""

DPI = 110
LABEL_WIDTH = 28
"""Characters of a line of a label; longer names have more lines."""

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "figure.titlesize": 11,
    "axes.edgecolor": GRAY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "savefig.dpi": DPI,
}

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def styled(draw: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function draw in this style; that of other plots of the process stays as it is."""

    @functools.wraps(draw)
    def in_style(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        from matplotlib import rc_context
        from matplotlib.rcsetup import cycler

        style: Any = {**STYLE, "axes.prop_cycle": cycler(color=PALETTE)}
        with rc_context(style):
            return draw(*arguments, **options)

    return in_style


def new_figure(width: float, height: float) -> Figure:
    """Create a figure of a size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure to a file, all at once; return the path."""
    image = io.BytesIO()
    file_format = path.suffix.removeprefix(".") or "png"
    metadata = {"Software": None} if file_format == "png" else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # characters that the font lacks
        figure.savefig(image, dpi=DPI, format=file_format, metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, image.getvalue())
    return path


def label(name: str, width: int = LABEL_WIDTH) -> str:
    """Wrap a name for an axis, and escape `$`, which would start a formula."""
    lines = textwrap.wrap(printable(name), width) or [""]
    return "\n".join(lines).replace("$", r"\$")


def whole_epochs(axes: Axes) -> None:
    """Mark whole epochs on the x axis."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")


def marker(points: int) -> str:
    """Choose a marker for short curves, so that a single point is visible."""
    return "o" if points <= 30 else ""
