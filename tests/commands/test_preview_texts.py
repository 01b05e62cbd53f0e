"""`ftaug preview` on texts: on the terminal, as a page, as JSON."""

import io
import json
from html.parser import HTMLParser

import pytest
from rich.console import Console
from text_desk import EXPERIMENT

from ftaug.cli import run
from ftaug.experiment_file import load
from ftaug.text.edits import Edit, Passage
from ftaug.text.preview.diff import Piece
from ftaug.text.preview.terminal import Screen, _spans

TEXTS = {
    "bad": ["the cat <b>sat</b> on the dog & left", "no cat was ever so slow"],
    "good": ["a charming cat, told with wit", "every cat likes this dog"],
}


@pytest.fixture
def experiment(tmp_path, text_desk, texts_importable):
    write(tmp_path, [{"label": label, "text": text} for label, texts in TEXTS.items() for text in texts])
    path = tmp_path / "animals.yaml"
    path.write_text(
        EXPERIMENT.replace("path: encoder", f"path: {text_desk / 'encoder'}").replace("{split: 25%}", "null")
    )
    return path


def write(folder, lines):
    (folder / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def preview(experiment, capsys, *arguments):
    capsys.readouterr()
    code = run(["preview", str(experiment), *arguments])
    return code, capsys.readouterr()


def told(experiment, capsys, *arguments):
    code, said = preview(experiment, capsys, *arguments, "--json")
    assert code == 0, said.err
    return json.loads(said.out)


def test_piped_it_reads_without_color(experiment, capsys):
    code, said = preview(experiment, capsys, "augment=[shout: {share: 1.0}, drop: {share: 0.01}]", "-n", "1")
    assert code == 0
    assert said.out.splitlines()[:5] == [
        "animals  4 training texts; shout, drop",
        "",
        "bad  texts.jsonl:1",
        "    original           the cat <b>sat</b> on the dog & left",
        "  each alone",
    ]
    marked = "[-the-]{+THE+} [-cat-]{+CAT+} <[-b-]{+B+}>[-sat-]{+SAT+}</[-b-]{+B+}> [-on-]{+ON+} [-the-]{+THE+} "
    assert f"    shout              {marked}[-dog-]{{+DOG+}} & [-left-]{{+LEFT+}}\n      words 9\n" in said.out
    assert "\x1b" not in said.out + said.err
    assert all(line == line.rstrip() for line in said.out.splitlines())
    assert not list(experiment.parent.glob("*.html"))


def test_on_a_terminal_changes_have_colors(experiment, capsys):
    parts = [Piece("a ", "a "), Piece("bad", "good"), Piece(" ", "")]
    assert list(_spans(parts, plain=False)) == [
        "a ",
        ("bad", "red strike"),
        ("good", "bold green"),
        ("␣", "red strike"),
        ("", "bold green"),
    ]
    assert "".join(_spans(parts, plain=True)) == "a [-bad-]{+good+}[-␣-]"
    narrow = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=50)
    narrow.print(screen(experiment))
    assert "\x1b[9;31m" in narrow.file.getvalue() and "\x1b[1;32m" in narrow.file.getvalue()
    assert "[-" not in narrow.file.getvalue()
    without = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=50)
    without.print(screen(experiment))
    assert "{+" in without.file.getvalue()
    assert max(map(len, without.file.getvalue().splitlines())) < 80, "but for its escape sequences"


def screen(experiment) -> Screen:
    from functools import partial

    from ftaug.engine.loading import seeds
    from ftaug.interfaces.preview import PreviewRequest, Row
    from ftaug.text.preview import preview as show
    from ftaug.text.types import Text

    loaded = load(experiment)
    streams = partial(seeds.streams, 0, sample=1)
    long = Text("the cat likes a very long story about a dog that no cat ever liked " * 5)
    rows = [Row(long, ("good",), streams, "a name")]
    preprocessing = loaded.backbone(("bad", "good")).preprocessing
    return show.overview(
        PreviewRequest("title", 4, rows, loaded.augment, preprocessing, None, seeds.generator(0, "x"))
    ).screen


def test_each_op_alone_is_shown_by_its_own_edits(experiment, capsys):
    shown = told(experiment, capsys)
    assert shown["sheet"] is None
    assert {sample["labels"][0] for sample in shown["samples"]} == {"bad", "good"}
    for sample in shown["samples"]:
        original = sample["original"]["text"]
        assert [version["op"] for version in sample["alone"]] == ["shout", "drop"]
        for version in [*sample["alone"], *sample["together"]]:
            edits = [Edit(e["start"], e["end"], e["text"]) for e in version["edits"]]
            assert Passage(original).edited(edits).text == version["text"]
        shout, drop = sample["alone"]
        assert all(original[e["start"] : e["end"]].upper() == e["text"] for e in shout["edits"])
        assert all(e["text"] == "" for e in drop["edits"])
        assert shout["drawn"]["shout"]["words"] == len(shout["edits"])
        assert [version["epoch"] for version in sample["together"]] == [0, 1, 2]


def test_what_is_shown_is_what_training_sees(experiment, capsys):
    from ftaug.engine.loading.prepare import prepare_split
    from ftaug.engine.loading.split import load_splits

    loaded = load(experiment)
    train = load_splits(loaded.data, loaded.seed)["train"]
    data = prepare_split(loaded, train, loaded.augment, loaded.backbone(train.task.classes).preprocessing)
    position = {train.samples.name(i): i for i in range(len(train))}
    for sample in told(experiment, capsys)["samples"]:
        for version in sample["together"]:
            (tokens,), _ = data.sample(position[sample["name"]], version["epoch"])
            assert tokens[0].tolist() == data.pipeline.encoder.tokenizer.encode(version["text"]).ids


class Reader(HTMLParser):
    """Collects what a browser would show, and what it would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.fetched, self.cells, self.removed = [], set(), [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "action", "srcset")]
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "p":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and "p" in self.open and "del" not in self.open:
            self.cells[-1] += data


def test_a_page_needs_nothing_else_and_shows_the_texts_as_they_are(experiment, capsys):
    path = experiment.parent / "new" / "sheet.html"
    code, said = preview(experiment, capsys, "-o", str(path))
    assert (code, said.out) == (0, f"{path}\n")
    page = path.read_text()
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.fetched == [] and "url(" not in page and "@import" not in page
    assert not reader.tags & {"script", "link", "img", "b", "iframe"}
    shown = told(experiment, capsys)["samples"]
    for sample in shown:
        assert sample["original"]["text"] in reader.cells
        assert all(version["text"] in reader.cells for version in sample["alone"])
    assert "prefers-color-scheme: dark" in page


def test_texts_cannot_break_out_of_the_page_or_move_the_cursor(experiment, capsys):
    nasty = "</p><script>alert(1)</script> \x1b[31mred\x07 \u202egnp one\ntwo \ud800 cat dog"
    write(experiment.parent, [{"label": "bad", "text": nasty}] * 2 + [{"label": "good", "text": "a dog"}])
    path = experiment.parent / "sheet.html"
    assert preview(experiment, capsys, "-o", str(path))[0] == 0
    page = path.read_text()
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page
    assert "\\x1b[31mred\\x07 \\u202egnp one⏎\ntwo \\ud800" in page
    code, said = preview(experiment, capsys)
    assert code == 0
    assert "\x1b" not in said.out and "\u202e" not in said.out


def test_one_op_alone_is_drawn_several_times(experiment, capsys):
    shown = told(experiment, capsys, "--op", "drop", "-n", "1")
    (sample,) = shown["samples"]
    assert [version["epoch"] for version in sample["draws"]] == list(range(7))
    assert len({version["text"] for version in sample["draws"]}) > 1
    assert [effect["op"] for effect in shown["effects"]] == ["drop"]
    assert preview(experiment, capsys, "--op", "drap")[0] == 2


def test_a_class_and_as_many_as_asked_for(experiment, capsys):
    shown = told(experiment, capsys, "--class", "good", "-n", "9")["samples"]
    assert [sample["original"]["text"] for sample in shown] == TEXTS["good"]


def test_severities_are_one_draw_that_grows(experiment, capsys):
    shown = told(experiment, capsys, "--severity-grid", "augment=[{shout: {probability: 0.1}}, spare]")
    (sample,) = shown["samples"]
    versions = sample["severities"]
    assert [(version["op"], version["severity"]) for version in versions] == [("shout", s / 4) for s in range(5)]
    changed = [len(version["edits"]) for version in versions]
    assert changed == sorted(changed)
    assert (changed[0], versions[-1]["text"]) == (0, sample["original"]["text"].upper())
    code, said = preview(experiment, capsys, "--severity-grid", "augment=[spare]")
    assert (code, said.err) == (2, "--severity-grid: none of the augmentations has a severity\n")
    code, said = preview(experiment, capsys, "--severity-grid")
    assert said.out.count("severity 0.25") == 2


def test_ops_inside_others_and_protected_words(experiment, capsys):
    inner = "{apply: {ops: [shout: {share: 1.0}, drop: {share: 0.3}], probability: 1.0}}"
    shown = told(experiment, capsys, f"augment=[{inner}]")
    for sample in shown["samples"]:
        (version,) = sample["alone"]
        edits = [Edit(e["start"], e["end"], e["text"]) for e in version["edits"]]
        assert Passage(sample["original"]["text"]).edited(edits).text == version["text"]
        assert {"shout.words", "drop.words"} == set(version["drawn"]["apply"])
    shown = told(experiment, capsys, "augment=[spare, shout: {share: 1.0}]")
    assert [effect["op"] for effect in shown["effects"]] == ["shout"], "what only protects has no effect of its own"
    for sample in shown["samples"]:
        assert [version["op"] for version in sample["alone"]] == ["shout"]
        assert sample["alone"][0]["text"] == sample["original"]["text"].upper().replace("CAT", "cat")


def test_both_texts_of_a_pair_are_shown(experiment, capsys):
    other = {"label": "good", "text": "a cat", "text_2": "a dog"}
    write(experiment.parent, [{"label": "bad", "text": "is it a cat", "text_2": "it is the dog"}] * 2 + [other])
    (first, *_) = told(experiment, capsys, "augment=[shout: {share: 1.0}]")["samples"]
    (version,) = first["alone"]
    assert (version["text"], version["text_2"]) == ("IS IT A CAT", "IT IS THE DOG")
    assert [edit["start"] for edit in version["edits_2"]] == [0, 3, 6, 10]
    _, said = preview(experiment, capsys, "augment=[shout: {share: 1.0}]", "-n", "1")
    assert "    original           1 is it a cat\n                       2 it is the dog\n" in said.out
    assert "1: words 4; 2:" in said.out
    path = experiment.parent / "sheet.html"
    assert preview(experiment, capsys, "-o", str(path))[0] == 0
    assert '<p dir="auto">is it a cat</p><p dir="auto">it is the dog</p>' in path.read_text()


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("shout: {probability: 0.0}", "shout did nothing in 32 tries: raise its probability, or leave it out"),
        ("drop: {share: 1.0}", "drop removes nearly all words in 75% of the texts: make it weaker"),
    ],
)
def test_ops_without_an_effect_or_with_too_much_are_named(experiment, capsys, op, words):
    code, said = preview(experiment, capsys, f"augment=[{{{op}}}]", "-n", "4")
    assert code == 0
    assert f"caution: {words}" in said.err


def test_figures_of_each_op(experiment, capsys):
    _, said = preview(experiment, capsys, "augment=[shout: {share: 1.0}, drop: {share: 0.01}]")
    line = next(line for line in said.err.splitlines() if line.strip().startswith("shout"))
    assert line.split()[:2] == ["shout", "100%"]
    shout, drop = told(experiment, capsys, "augment=[shout: {share: 1.0}, drop: {share: 0.01}]")["effects"]
    assert (shout["fired"], shout["wiped_out"], drop["fired"], drop["unchanged"]) == (1, 0, 1, 0)
    assert 0.9 < shout["words"] <= 1, "one of the texts holds a negation"
    assert drop["words"] == pytest.approx(sum(1 / n for n in (9, 6, 6, 5)) / 4)


def test_without_augmentation_and_with_mixing(experiment, capsys):
    code, said = preview(experiment, capsys, "augment=[]", "mix=mixup", "-n", "1")
    assert code == 0
    assert "no augmentation; mixup is not shown" in said.out
    assert said.out.count("unchanged") == 3


@pytest.mark.parametrize(
    ("output", "code", "words"), [("sheet.png", 2, "must end in .html"), ("taken/x.html", 74, "cannot be written")]
)
def test_refusals(experiment, capsys, output, code, words):
    (experiment.parent / "taken").write_text("")
    path = experiment.parent / output
    found, said = preview(experiment, capsys, "-o", str(path))
    assert (found, words in said.err, path.exists()) == (code, True, False)
