"""`ftaug schema`: what the JSON Schema allows is what loading allows, by an evaluator of our own."""

import json
import re
from pathlib import Path

import pytest

from ftaug.cli import run
from ftaug.config.yaml_document import parse
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load, open_experiment
from ftaug.runs.search.search_file import open_search

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SMALLEST = "data: {train: digits}\nbackbone: resnet18\n"
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": int | float, "boolean": bool}


@pytest.fixture(scope="module")
def schema():
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["schema"]) == 0
    return json.loads(out.getvalue())


def allows(schema: dict, value: object, root: dict) -> bool:
    """A small evaluator of JSON Schema: the keywords that ours uses, and no others."""
    known = {"$schema", "$defs", "title", "description", "default", "format"}
    checks = {
        "$ref": lambda ref: allows(root["$defs"][ref.removeprefix("#/$defs/")], value, root),
        "if": lambda asked: allows(schema["then" if allows(asked, value, root) else "else"], value, root),
        "anyOf": lambda options: any(allows(option, value, root) for option in options),
        "enum": lambda options: value in options,
        "const": lambda constant: value == constant and type(value) is type(constant),
        "type": lambda name: _is(name, value),
        "minimum": lambda limit: not _is("number", value) or value >= limit,
        "maximum": lambda limit: not _is("number", value) or value <= limit,
        "exclusiveMinimum": lambda limit: not _is("number", value) or value > limit,
        "exclusiveMaximum": lambda limit: not _is("number", value) or value < limit,
        "minLength": lambda length: not isinstance(value, str) or len(value) >= length,
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
        "items": lambda item: not isinstance(value, list) or all(allows(item, v, root) for v in value),
        "prefixItems": lambda items: (
            not isinstance(value, list) or all(allows(i, v, root) for i, v in zip(items, value, strict=False))
        ),
        "minItems": lambda count: not isinstance(value, list) or len(value) >= count,
        "maxItems": lambda count: not isinstance(value, list) or len(value) <= count,
        "required": lambda keys: not isinstance(value, dict) or set(keys) <= set(value),
        "minProperties": lambda count: not isinstance(value, dict) or len(value) >= count,
        "maxProperties": lambda count: not isinstance(value, dict) or len(value) <= count,
    }
    together = {"then", "else", "properties", "patternProperties", "additionalProperties"}
    assert set(schema) <= known | set(checks) | together, set(schema)
    if isinstance(value, dict):
        for key, inner in value.items():
            patterns = [s for p, s in schema.get("patternProperties", {}).items() if re.search(p, key)]
            applying = [schema["properties"][key]] if key in schema.get("properties", {}) else patterns
            if not applying:
                applying = [s] if isinstance(s := schema.get("additionalProperties", {}), dict) else [None]
            if any(s is None or not allows(s, inner, root) for s in applying):
                return False
    return all(check(schema[name]) for name, check in checks.items() if name in schema)


def _is(name: str, value: object) -> bool:
    if name == "null":
        return value is None
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def loads(text: str, folder: Path, read=load) -> bool:
    path = folder / "f.yaml"
    path.write_text(text)
    try:
        read(path)
    except ExperimentError:
        return False
    return True


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_is_allowed(path, schema):
    assert allows(schema, parse(path.read_text(), "f").tree, schema)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("", True),
        ("augment: [rotate, {rotate: {degrees: 5}}, {rotate: null}]", True),
        ("augment: [{rotate: {degrees: 400}}]", False),
        ("augment: [{rotate: {degree: 4}}]", False),
        ("augment: [{rotate: {}, horizontal_flip: {}}]", False),
        ("augment: [rotat]", False),
        ("augment: rotate", True),
        ("augment: [color_jitter, {color_jitter: {hue: 0}}]", True),
        ("augment: [{color_jitter: {hue: 9}}]", False),
        ("augment: rotat", False),
        ("augment: {rotate: {}}", False),
        ("augment: [{one_of: [rotate, {rotate: {degrees: 5}}]}]", True),
        ("augment: [{one_of: [rotat]}]", False),
        ("augment: [{one_of: rotate}]", True),
        ("augment: [{one_of: rotat}]", False),
        ("augment: [{rotate: [5]}]", False),
        ("unfreeze: head", True),
        ("unfreeze: {layers: head}", False),
        ("unfreeze: [{layers: head}]", True),
        ("unfreeze: auto", True),
        ("evaluate: {metrics: f1}", True),
        ("evaluate: {metrics: {f1: {average: micro}}}", False),
        ("plugins: ''", False),
        ("loss: {cross_entropy: {class_weights: balanced}}", True),
        ("loss: {cross_entropy: {class_weights: [1, 2]}}", True),
        ("loss: {cross_entropy: {class_weights: fair}}", False),
        ("optimizer: {adamw: {betas: [0.9, 0.99]}}", True),
        ("optimizer: {adamw: {betas: [0.9]}}", False),
        ("lr: {peak: 1e-3, schedule: {cosine: {warmup: 5%}}, stages: {stem: 0.1}}", True),
        ("lr: {peak: 0}", False),
        ("lr: {schedule: {cosine: {warmup: 5 eons}}}", False),
        ("lr: {stages: {stem: -1}}", False),
        ("train: {max_time: 1:30, early_stop: {patience: 3}, clip_norm: null}", True),
        ("train: {max_time: 1:99}", False),
        ("train: {max_time: 3h30m}", True),
        ("train: {max_time: 1-12:00:00}", True),
        ("train: {max_time: 30m3h}", False),
        ("train: {epochs: true}", False),
        ("train: {epochs: 2.5}", False),
        ("train: {precision: fp8}", False),
        ("unfreeze: [{layers: [head]}, {from: 10%, layers: [{last: 2}], lr: 0.1}]", True),
        ("unfreeze: [{from: 10%}]", False),
        ("name: ''", False),
        ("typo: 1", False),
    ],
)
def test_the_schema_allows_what_loading_allows(text, valid, schema, tmp_path):
    whole = f"{SMALLEST}{text}\n"
    assert loads(whole, tmp_path) is valid
    assert allows(schema, parse(whole, "f").tree, schema) is valid


@pytest.mark.parametrize(
    ("val", "valid"), [("{split: 20%}", True), ("digits", True), ("{split: 0}", False), ("3", False)]
)
def test_where_validation_samples_come_from(val, valid, schema, tmp_path):
    whole = f"data: {{train: digits, val: {val}}}\nbackbone: resnet18\n"
    assert loads(whole, tmp_path) is valid
    assert allows(schema, parse(whole, "f").tree, schema) is valid


def test_what_is_required_is_required(schema):
    assert not allows(schema, {"backbone": "resnet18"}, schema)
    assert not allows(schema, {"data": {"train": {"image_folder": {}}}, "backbone": "resnet18"}, schema)
    assert not allows(schema, {"data": {"train": "image_folder"}, "backbone": "resnet18"}, schema)


def test_every_key_is_described(schema):
    assert all(inner.get("description") for inner in schema["$defs"]["image"]["properties"].values())


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("lr: {peak: {search: {log: [1e-4, 1e-2]}}}", True),
        ("lr: {peak: {search: {log: [1e-4, 1e-2], default: 1e-3}}}", True),
        ("lr: {peak: {search: [1e-4, 1e-2]}}", True),
        ("lr: {peak: {search: {log: [0, 1e-2]}}}", False),
        ("lr: {peak: {search: {log: [1e-4]}}}", False),
        ("lr: {peak: {search: {rnge: [1e-4, 1e-2]}}}", False),
        ("lr: {peak: {search: {range: [1e-4, 1e-2], log: [1e-4, 1e-2]}}}", False),
        ("lr: {peak: {search: {default: 1e-3}}}", False),
        ("lr: {peak: {search: 3}}", False),
        ("lr: {peak: {search: [1e-3]}}", False),
        ("lr: {peak: {search: [1e-3, x]}}", False),
        ("lr: {peak: {search: [1e-3, 0]}}", False),
        ("lr: {peak: {search: [1e-3, {search: [1e-3, 1e-2]}]}}", False),
        ("lr: {search: [{peak: 1e-3}, {peak: 1e-2}]}", True),
        ("lr: {stages: {stem: {search: {range: [0.1, 1.0]}}}}", True),
        ("lr: {schedule: {search: [cosine, {cosine: {warmup: 5%}}]}}", True),
        ("lr: {schedule: {cosine: {warmup: {search: [0, 5%]}}}}", True),
        ("lr: {schedule: {cosine: {warmup: {search: {range: [0, 1]}}}}}", False),
        ("augment: [{rotate: {degrees: {search: {range: [0, 30]}}}}]", True),
        ("augment: [{rotate: {degrees: {search: {range: [0, 400]}}}}]", False),
        ("augment: [{rotate: {search: [{degrees: 5}, {degrees: 9}]}}]", True),
        ("augment: [{rotate: {search: [{degrees: 5}, {degree: 9}]}}]", False),
        ("augment: [{search: [horizontal_flip, {rotate: {degrees: 5}}, null]}]", True),
        ("augment: [{search: [horizontal_flip, rotat]}]", False),
        ("augment: [{search: {range: [0, 1]}}]", False),
        ("augment: {search: [[horizontal_flip], []]}", True),
        ("augment: [{one_of: [rotate, {search: [horizontal_flip, rotate]}]}]", True),
        ("mix: {search: [null, cutmix, {mixup: {alpha: 0.4}}]}", True),
        ("mix: {search: [null, cutmux]}", False),
        ("optimizer: {adamw: {betas: [{search: [0.8, 0.9]}, 0.99]}}", True),
        ("train: {precision: {search: [fp32, bf16]}}", True),
        ("train: {precision: {search: [fp32, fp8]}}", False),
        ("train: {ema: {search: [null, 0.99]}}", True),
        ("unfreeze: {search: [[head], all]}", True),
        ("seed: {search: [1, 2]}", False),
        ("evaluate: {metrics: [{search: [accuracy, f1]}]}", False),
        ("train: {save_every: {search: [1 epoch, 2 epochs]}}", False),
        ("search: {trials: {search: [1, 2]}}", False),
    ],
)
def test_the_schema_allows_the_spaces_that_a_search_allows(text, valid, schema, tmp_path):
    whole = f"data: {{train: digits, val: {{split: 20%}}}}\nbackbone: resnet18\n{text}\n"
    assert loads(whole, tmp_path, lambda path: open_search(open_experiment(path))) is valid
    assert allows(schema, parse(whole, "f").tree, schema) is valid


def test_each_value_that_may_be_searched_may_be_listed(schema):
    searchable = {name: of for name, of in schema["$defs"].items() if name.startswith("searchable")}
    assert len(searchable) > 300
    for of in searchable.values():
        space = of["then"]["properties"]["search"]
        assert space.get("then", space)["items"] in (of["else"], {"anyOf": [of["else"], {"type": "null"}]})
