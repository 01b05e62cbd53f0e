import numpy as np

from ftaug.config.schema import component_named
from ftaug.engine.loading.seeds import streams
from ftaug.experiment_file import import_components
from ftaug.interfaces.preview import PreviewRequest, Row
from ftaug.text.backbones.tiny_text import TOKENIZER
from ftaug.text.preview.preview import CHANGED, galleries
from ftaug.text.types import Text


def test_each_text_with_its_changed_words_highlighted():
    import_components("text")
    settings = {"share": 1.0, "to": "upper", "probability": 1.0}
    op = component_named("augmentation", "change_case", "text", settings)
    preprocessing = {"tokenizer": TOKENIZER.read_text(), "max_length": 32, "lexicon": {"path": "", "mask": "[MASK]"}}
    row = Row(Text("a list", "of names"), ("short",), lambda epoch: streams(0, epoch, 0), "train.csv:2", "short")
    request = PreviewRequest("name", 1, [row], (op,), preprocessing, None, np.random.default_rng(0))
    (gallery,) = galleries(request)
    assert gallery.caption == "short; train.csv:2"
    original, alone, *epochs = gallery.items
    assert original.spans == [("a list\n\nof names", 0.0)] and original.caption == "original"
    assert "".join(text for text, _ in alone.spans) == "A LIST\n\nOF NAMES"
    assert {weight for text, weight in alone.spans if text.strip()} == {CHANGED}
    assert alone.caption.startswith("change_case")
    assert [item.caption for item in epochs] == [f"epoch {number}: change_case" for number in (1, 2, 3)]
