"""Descriptions of kinds, components and keys, as text and as JSON values."""

import dataclasses
import inspect

import pytest

from ftaug.components.schedules import cosine
from ftaug.config.experiment import Data, Experiment, Train
from ftaug.config.listing import describe, paragraphs, table
from ftaug.errors import ExperimentError
from ftaug.experiment_file import MODALITIES, import_components
from ftaug.image.augmentations.geometry import rotate

for modality in MODALITIES:
    import_components(modality)


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def values(kind, name=None):
    return describe(kind, name)[0]


def lines(kind, name=None):
    return describe(kind, name)[1]


def test_names_of_a_kind_with_their_first_lines():
    page = [line for line in lines("schedule") if not line.startswith(" ")]
    names = [line.split()[0] for line in page]
    assert names == sorted(names)
    assert any(line.split(maxsplit=1) == ["cosine", inspect.getdoc(cosine).splitlines()[0]] for line in page)


def test_one_component():
    page = lines("augmentation", "rotate")
    assert page[0] == inspect.getdoc(rotate).splitlines()[0]
    (line,) = [line for line in page if line.split()[:1] == ["degrees"]]
    assert line.split()[1] == str(inspect.signature(rotate).parameters["degrees"].default)
    assert line.endswith("(an angle from 0 to 360 degrees)")


def test_a_section_of_the_file_with_its_keys():
    page = lines("train")
    assert page[0] == inspect.getdoc(Train).splitlines()[0]
    defaults = {line.split()[0]: line.split()[1] for line in page[2:] if line[:3].strip()}
    assert list(defaults) == [field.name for field in dataclasses.fields(Train)]
    assert (defaults["epochs"], defaults["compile"]) == ("10", "false")
    assert values("lr")["keys"]["peak"]["default"] == 0.001
    assert set(values("data")["keys"]) == {field.name for field in dataclasses.fields(Data)}
    keys = [line.split()[0] for line in lines("experiment")[2:] if line[:3].strip()]
    assert keys == [field.name for field in dataclasses.fields(Experiment)]
    assert set(values("data.val")["keys"]) == {"split", "fold", "of"}
    assert lines("unfreeze")[0].startswith('unfreeze  ["all"]  the layers to train: ')


def test_a_key_wherever_it_is():
    assert describe("epochs", None) == describe("train", "epochs") == describe("train.epochs", None)
    assert lines("epochs")[0].startswith("train.epochs  10  passes over the training samples")
    assert lines("augment")[1] == "  see ftaug list augmentation"
    assert set(values("batch_size")) == {"data.batch_size", "evaluate.batch_size"}


def test_a_component_by_its_name_alone():
    assert lines("rotate") == ["augmentation rotate:", "", *lines("augmentation", "rotate")]
    assert values("rotate") == values("augmentation", "rotate")
    assert set(values("one_of")) == {"augmentation", "mix"}
    assert values("colour_jitter")["name"] == "color_jitter"
    assert lines("timm/resnet18")[0] == "backbone timm/resnet18:"
    with pytest.raises(ExperimentError, match="no kind, component or key 'rotatee'; did you mean 'rotate'"):
        describe("rotatee", None)


def test_the_last_column_of_a_table_is_wrapped_below_itself(monkeypatch):
    monkeypatch.setenv("COLUMNS", "45")
    assert table([("a", "bbb", "word " * 7), ("long", "b", "")], indent="  ") == [
        "  a     bbb  word word word word word word",
        "             word",
        "  long  b",
    ]


def test_on_a_narrow_terminal_explanations_have_lines_of_their_own(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert table([("a_long_name", "--trust-plugins", "word " * 7)], indent="  ") == [
        "  a_long_name  --trust-plugins",
        "      word word word word word word word",
    ]


@pytest.mark.parametrize("columns", ["60", "80"])
def test_no_line_is_wider_than_the_terminal(monkeypatch, columns):
    """But for lists and examples in docstrings, and for words that are longer."""
    monkeypatch.setenv("COLUMNS", columns)
    for names in ([None, None], ["augmentation", None], ["train", None], ["rotate", None], ["image_table", None]):
        for line in describe(*names)[1]:
            assert len(line) <= int(columns), line


def test_paragraphs_are_wrapped_and_lists_are_not(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = "several words\nof a paragraph\n\n- an item that is longer than a line"
    assert paragraphs(text) == ["several words of a", "paragraph", "", "- an item that is longer than a line"]
