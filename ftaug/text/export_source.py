"""Source of inference scripts beside exports: read texts and tokenize them with the library tokenizers."""

from __future__ import annotations

from functools import partial
from typing import Any

from ftaug.interfaces.export import Reading, ScriptSource

TOKENS = """\
tokenizer = Tokenizer.from_file(str(FOLDER / metadata["preprocessing"]["tokenizer"]))  # it cuts long texts, too


def encode(text):
    \"\"\"The inputs of a batch of one.\"\"\"
    encoding = tokenizer.encode({arguments})
    planes = {{{planes}}}
    return {{name: np.array([values], np.int64) for name, values in planes.items()}}


"""
PLANES = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
LINES = """\
def read(path):
    \"\"\"Yield the place of each text in a file{pair}, and {inputs}.\"\"\"
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            yield f"{{path}}:{{number}}", {batch}
"""
WHOLE = """\
def read(path):
    \"\"\"Yield the file's name, and {inputs}: the whole file is one text{pair}.\"\"\"
    yield path, {batch}
"""


def read_by_tokenizers(has_types: bool, pair: bool, whole_files: bool) -> Reading:
    """Return the decoding steps and the script source that implements them."""
    decoding: list[dict[str, Any]] = [{"step": "decode", "encoding": "utf-8", "byte_order_mark": "removed"}]
    if not whole_files:
        decoding.append({"step": "split", "separator": "line end"})
    if pair:
        decoding.append({"step": "split", "separator": "\t", "parts": 2})
    return Reading(decoding, partial(_source, has_types, pair, whole_files))


def _source(has_types: bool, pair: bool, whole_files: bool, input_name: str) -> ScriptSource:
    text = 'Path(path).read_bytes().decode("utf-8-sig")' if whole_files else 'line.rstrip("\\n")'
    as_it_is = input_name == "sample"
    batch = _sample(text, pair) if as_it_is else f"encode({text})"
    with_tab = ", with a TAB between the two of a pair" if pair else ""
    inputs = "the text" if as_it_is else "the inputs of a batch of one"
    read = (WHOLE if whole_files else LINES).format(batch=batch, pair=with_tab, inputs=inputs)
    if as_it_is:
        return ScriptSource((), (), read, "FILE")
    names = list(PLANES)[: 3 if has_types else 2]
    planes = ", ".join(f'"{name}": encoding.{PLANES[name]}' for name in names)
    tokens = TOKENS.format(arguments='*text.split("\\t")' if pair else "text", planes=planes)
    return ScriptSource(
        ("import numpy as np", "from tokenizers import Tokenizer"), ("numpy", "tokenizers"), tokens + read, "FILE"
    )


def _sample(text: str, pair: bool) -> str:
    return f'dict(zip(("text", "text_pair"), {text}.split("\\t")))' if pair else text
