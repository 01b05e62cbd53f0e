"""The words of the code: each has one meaning, names are the field's and their spelling is American."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import ftaug

PACKAGE = Path(ftaug.__file__).parent
ROOT = Path(__file__).parents[1]
FILES = sorted(PACKAGE.rglob("*.py"))

WORDS_OF_SEVERAL_MEANINGS = {
    *("told", "tells", "telling", "taught", "parted", "parting", "settled", "settles", "moved", "answers", "answering"),
    *(
        "portion",
        "portions",
        "hazard",
        "hazards",
        "starting",
        "started",
        "begun",
        "facing",
        "judge",
        "cooked",
        "quicken",
    ),
}
"""Words that stood for several ideas; each idea has a name of the field now."""

NO_NOUN = {"found", "own", "told", "made", "one", "kept"}
"""Names of values that have a noun."""

BRITISH = re.compile(
    r"colour|grey|centre|neighbour|behaviour|favour|normalis|optimis|initialis|serialis|quantis|regularis|organis"
    r"|recognis|summaris|tokenis|visualis|standardis|artefact|labell|cancell|modell|licence"
)
BRITISH_SETTINGS = {"colour", "colour_jitter", "neighbours"}
"""Settings and modules that still have such a name; the set only shrinks."""

PHRASES = [
    "what is to be told",
    "what training makes small",
    "is made small for a batch",
    "be it ever so late",
    "for whoever else is there",
    "by itself not where",
    "that nobody foresaw",
    "mend or remove",
    "no CUDA device is there",
    "all that the machine has",
    "are needed to tell apart",
    "are told at once",
    "So many runs",
    "weights of runs that help",
    "use those that are here",
    "Say where the time",
    "come along",
    "comes along",
    "what is taken for what",
    "for a person",
    "answers as the model",
    "the teacher is not heard",
    "on the way back",
    "learns as a whole",
    "what learns",
    "that learn already",
    "answers to all",
    "how far all answers",
    "a fresh head",
    "every layer learning",
    "laid on white",
    "pays where",
    "holds on to",
    "go on from",
    "goes on from",
    "what it drew",
    "the network answers",
    "kept between runs",
]
"""Sentences of the house's dialect, each replaced by one that an engineer of the field writes."""


def words_of(name: str) -> list[str]:
    """`HeadInit_3` -> `head`, `init`."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives: functions, classes, parameters, variables, attributes, imports under a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, 0


def test_no_name_has_a_word_of_several_meanings():
    bad = []
    for file in FILES:
        names = [(file.stem, 1), *names_in(ast.parse(file.read_text()))]
        bad += [f"{file.name}:{line} {name}" for name, line in names if WORDS_OF_SEVERAL_MEANINGS & {*words_of(name)}]
    assert bad == []


def test_values_are_named_by_nouns():
    nodes = [node for file in FILES for node in ast.walk(ast.parse(file.read_text()))]
    variables = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    parameters = [n.arg for n in nodes if isinstance(n, ast.arg)]
    assert Counter(name for name in [*variables, *parameters] if name in NO_NOUN) == {}


def test_names_are_spelled_as_in_torch():
    names = {name for file in FILES for name, _ in [(file.stem, 1), *names_in(ast.parse(file.read_text()))]}
    assert {name for name in names if BRITISH.search(name.lower())} <= BRITISH_SETTINGS


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_page_and_no_text_says(phrase):
    pages = [*FILES, ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    pattern = re.compile(r"\s+".join(map(re.escape, phrase.split())))
    assert [str(page.relative_to(ROOT)) for page in pages if pattern.search(page.read_text())] == []


def test_the_reader_of_names_sees_them_all():
    """The checks above are worth what this reader is."""
    source = "import a as b\ndef f(x, *, y): self.z = w = 1\nclass C: pass\nfor i, (j, k) in v: pass\n"
    assert {name for name, _ in names_in(ast.parse(source))} == {*"bfxyzwCijk"}
    assert words_of("PreparedData_set") == ["prepared", "data", "set"]
    assert words_of("CUDADevice") == ["cuda", "device"]
