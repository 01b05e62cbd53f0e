from dataclasses import replace

import numpy as np
import torch
from rich.console import Console

from ftaug.interfaces.explanation import Attribution, Explanation
from ftaug.text.backbones.tiny_text import TOKENIZER
from ftaug.text.explanation.explanation import locate, remove, render, screen
from ftaug.text.samples import collate, pipeline
from ftaug.text.types import Text

PREPROCESSING = {"tokenizer": TOKENIZER.read_text(), "max_length": 32, "pad": 0, "types": True}
RAW = Text("<b>the</b> list & names")


def sample_of(raw):
    return collate([pipeline((), PREPROCESSING)(raw, None)])


def explanation():
    values = np.zeros(sample_of(RAW).shape[2])
    values[-3], values[-2] = -1, 2  # "&" and "names"
    return Explanation("a.txt:1", RAW, "predicted <x> (0.9)", "<x> (0.9)", "leave_one_out", Attribution(values))


def test_what_is_removed_are_the_tokens_of_the_highest_or_of_the_lowest_values():
    sample = sample_of(Text("a list of names"))  # [CLS] a list of names [SEP]
    values = Attribution(np.array([9.0, 0.1, 0.4, 0.3, 0.2, 9.0]))
    ids = sample[0, 0].tolist()
    assert remove(sample, values, 0.5, True, PREPROCESSING)[0, 0].tolist() == [ids[i] for i in (0, 1, 4, 5)]
    assert remove(sample, values, 0.5, False, PREPROCESSING)[0, 0].tolist() == [ids[i] for i in (0, 2, 3, 5)]
    assert remove(sample, values, 0.05, True, PREPROCESSING).shape == sample.shape
    assert torch.equal(sample, sample_of(Text("a list of names")))


def test_words_are_located():
    located = locate(RAW, explanation().attribution, PREPROCESSING)["words"]
    assert located[-1] == {"sequence": 0, "start": 18, "end": 23, "text": "names", "value": 2.0}


def test_a_page_holds_the_whole_text_escaped_with_its_words_colored():
    page = render([explanation()], "title", PREPROCESSING, ".html").decode()
    assert "<b>" not in page
    assert 'style="background: rgba(213, 94, 0, 0.75)" title="+2">names</mark>' in page
    assert 'style="background: rgba(0, 114, 178, 0.38)" title="-1">&amp;</mark>' in page
    text = page[page.index('<p class="text"') :]
    for tag in ("mark", "p"):
        text = text.replace(f"</{tag}>", "")
    assert "predicted &lt;x&gt; (0.9)" in page


def test_the_terminal_lists_the_strongest_words():
    console = Console(width=80, record=True)
    console.print(screen([explanation()], PREPROCESSING))
    shown = " ".join(console.export_text().split())
    assert "names +2.00" in shown and "a.txt:1" in shown


def test_names_are_whole_on_a_narrow_terminal():
    name = "folder/" + "x" * 60 + ".txt:1"
    console = Console(width=60, record=True)
    console.print(screen([replace(explanation(), name=name)], PREPROCESSING))
    shown = console.export_text()
    assert "…" not in shown and shown.count("x") >= 60
