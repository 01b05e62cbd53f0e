import cv2
import matplotlib
from matplotlib import cbook

from ftaug.runs.report import plot_style
from ftaug.runs.report.plot_style import PALETTE, label, new_figure, styled, whole_epochs, write_figure


def luminance(color):
    """Relative luminance of WCAG 2."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_lines_of_a_plot_have_contrast_to_the_paper():
    """WCAG asks for 3:1 of graphics."""
    for color in (plot_style.TRAIN, plot_style.VAL, plot_style.NEUTRAL, plot_style.GREEN):
        assert 1.05 / (luminance(color) + 0.05) >= 3


def test_the_style_is_that_of_a_plot_and_not_of_the_process():
    before = dict(matplotlib.rcParams)
    sizes = styled(lambda: (matplotlib.rcParams["font.size"], matplotlib.rcParams["axes.prop_cycle"]))()
    assert sizes[0] == plot_style.STYLE["font.size"]
    assert [entry["color"] for entry in sizes[1]] == list(PALETTE)
    assert dict(matplotlib.rcParams) == before


def test_names_are_whole_and_no_formulas():
    name = "a class with a name of $60$ characters that has three lines"
    assert label(name, 24).replace("\n", " ").replace("\\$", "$") == name
    assert label("x" * 60, 24) == "\n".join(["x" * 24, "x" * 24, "x" * 12])
    assert not cbook.is_math_text(label("$a$"))
    assert label("line\nbreak\x1b") == r"line break\x1b"


def test_the_same_figure_is_the_same_file(tmp_path):
    files = []
    for name in ("a.png", "b.png"):
        figure = new_figure(2, 1)
        axes = figure.subplots()
        axes.plot([0, 3], [0, 1])
        whole_epochs(axes)
        files.append(write_figure(figure, tmp_path / "new" / name).read_bytes())
    assert files[0] == files[1]
    assert cv2.imread(str(tmp_path / "new" / "a.png")).shape == (110, 220, 3)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
