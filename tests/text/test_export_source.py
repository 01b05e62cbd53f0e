"""The source of scripts that read texts, run as it stands, against what `ftaug predict` reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from ftaug.text import samples
from ftaug.text.backbones import tiny_text
from ftaug.text.export_source import read_by_tokenizers
from ftaug.text.predict_inputs import Inputs

SINGLE = "Return the largest item.\nÉcrire « naïf »\r\na\tTAB \x0b and \u2028 another\nlast line"
PAIRS = "Is it open?\tYes, it is.\nWho\tThe author of the file, whose name is " + "long " * 300
KINDS = [
    pytest.param(SINGLE, False, False, id="lines"),
    pytest.param(PAIRS, True, False, id="pairs"),
    pytest.param("one text\nof two lines", False, True, id="file"),
]


@pytest.fixture(scope="module")
def preprocessing():
    return tiny_text.tiny_text(("a", "b"), weights="none", max_length=64).preprocessing


def run_source(source, folder, preprocessing):
    """The names that the source defines."""
    export_signature = samples.export_signature(nn.Identity(), preprocessing, lambda model: model)
    for name, content in export_signature.files.items():
        (folder / name).write_text(content)
    metadata = {"preprocessing": json.loads(json.dumps(dict(export_signature.preprocessing)))}
    names = {"Path": Path, "FOLDER": folder, "metadata": metadata}
    exec("\n".join([*source.imports, source.code]), names)
    return names


@pytest.mark.parametrize(("content", "pair", "whole_files"), KINDS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_the_tokens_are_those_of_predict(content, pair, whole_files, mark, preprocessing, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_bytes(mark + content.encode())
    source = read_by_tokenizers(preprocessing["types"], pair, whole_files).source("input_ids")
    read = dict(run_source(source, tmp_path, preprocessing)["read"](str(file)))
    pipeline = samples.pipeline((), preprocessing)
    inputs = Inputs(("first", "second") if pair else ("text",), whole_files).of([str(file)])
    expected = {one.name: samples.prepare(one.read(), pipeline, None)[0] for one in inputs}
    assert read.keys() == expected.keys()
    for name, (ids, types) in expected.items():
        np.testing.assert_array_equal(read[name]["input_ids"], ids[None])
        np.testing.assert_array_equal(read[name]["token_type_ids"], types[None])
        assert read[name]["attention_mask"].shape == (1, len(ids))
        assert all(array.dtype == np.int64 and array.min() >= 0 for array in read[name].values())


@pytest.mark.parametrize(("content", "pair", "whole_files"), KINDS)
def test_pipelines_of_transformers_take_the_texts_themselves(content, pair, whole_files, preprocessing, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_bytes(content.encode())
    source = read_by_tokenizers(preprocessing["types"], pair, whole_files).source("sample")
    read = [text for _, text in run_source(source, tmp_path, preprocessing)["read"](str(file))]
    inputs = Inputs(("first", "second") if pair else ("text",), whole_files).of([str(file)])
    texts = [one.read() for one in inputs]
    assert read == [{"text": t.first, "text_pair": t.second} if pair else t.first for t in texts]


@pytest.mark.parametrize(
    ("pair", "whole_files", "steps"),
    [(False, False, ["decode", "split"]), (True, False, ["decode", "split", "split"]), (False, True, ["decode"])],
)
def test_the_steps_say_what_a_text_is(pair, whole_files, steps):
    decoding = read_by_tokenizers(True, pair, whole_files).decoding
    assert [step["step"] for step in json.loads(json.dumps(decoding))] == steps
