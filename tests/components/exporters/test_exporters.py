import copy
import json
import os
import re
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import transformers
from export_cases import TASK, TEXTS, of_image, of_text, of_timm, tokens
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer

from ftaug import __version__
from ftaug.components.exporters import (
    exporters,
    reduced_precision,  # noqa: F401
)
from ftaug.components.exporters.script import FUNCTIONS
from ftaug.config.kinds import exporter as registry
from ftaug.engine.training.target_scaling import TargetScaler, Unscale, fold
from ftaug.errors import ExperimentError, Unavailable
from ftaug.interfaces.data import Task

FORMATS = {"onnx": ".onnx", "torch_export": ".pt2", "safetensors": ".safetensors", "transformers": "-transformers"}
OTHERS = {"adapter": ".adapter.safetensors", "onnx_int8": ".int8.onnx", "onnx_fp16": ".fp16.onnx"}


texts = pytest.mark.parametrize("case", ["text"], indirect=True)


@pytest.fixture(scope="module", params=["image", "text"])
def case(request):
    with pytest.MonkeyPatch.context() as patch:
        return of_image() if request.param == "image" else of_text(patch)


@pytest.fixture(scope="module")
def exported(case, tmp_path_factory):
    """Every artifact that the modality has: its path and what its exporter returned."""
    before = copy.deepcopy(case.bundle.model.state_dict())
    result = {}
    for name, suffix in FORMATS.items():
        if name == "transformers" and case.bundle.save is None:
            continue
        path = tmp_path_factory.mktemp(name) / f"pets{suffix}"
        result[name] = path, registry[name].function(case.bundle, path)
    assert all(torch.equal(v, before[k]) for k, v in case.bundle.model.state_dict().items())
    assert not case.bundle.model.training
    return result


def test_there_is_an_exporter_for_each_suffix():
    assert {name: registry[name].facts["suffix"] for name in registry} == FORMATS | OTHERS


def test_numbers_that_the_network_alone_does_not_tell_have_their_scale_beside_the_weights(tmp_path):
    scale = {"mean": (1e6, 2.0, 3.0), "std": (1.0, 1.0, 0.5)}
    numbers = replace(
        of_image().bundle, task=Task(("a", "b", "c"), regression=True), activation="identity", scale=scale
    )
    registry["safetensors"].function(numbers, tmp_path / "a.safetensors")
    about = json.loads((tmp_path / "a.safetensors.json").read_text())
    assert about["regression"] is True
    assert about["scale"] == {"mean": [1e6, 2.0, 3.0], "std": [1.0, 1.0, 0.5]}
    with pytest.raises(ExperimentError, match="the target scale cannot be folded into the last layer"):
        registry["transformers"].function(replace(numbers, save=lambda path: None), tmp_path / "b")


def test_transformers_takes_numbers_for_numbers(tmp_path, monkeypatch):
    case, scale = of_text(monkeypatch), TargetScaler((100.0, 0.0, 1.0), (20.0, 1.0, 3.0))
    network, batch = case.bundle.model.network, case.batches[len(TEXTS)]
    with torch.no_grad():
        expected = Unscale(scale)(network(batch.inputs))
    assert fold(network, scale, batch.inputs)
    told = replace(case.bundle, task=Task(("a", "b", "c"), regression=True), activation="identity")
    loaded = registry["transformers"].function(told, tmp_path / "scores")
    torch.testing.assert_close(loaded(batch)["logits"], expected.float())
    assert transformers.AutoConfig.from_pretrained(tmp_path / "scores").problem_type == "regression"


def test_only_a_network_of_transformers_or_timm_is_saved_as_one(tmp_path):
    message = (
        "exporter 'transformers': neither transformers nor timm has this network; use onnx, torch_export or safetensors"
    )
    with pytest.raises(ExperimentError, match=message):
        registry["transformers"].function(of_image().bundle, tmp_path / "pets")


def test_the_artifact_answers_batches_of_any_shape_as_the_model_does(case, exported):
    """Of texts also single tokens, texts that are cut, and those that are padded to the longest of the batch."""
    for batch in case.batches:
        with torch.inference_mode():
            expected = case.bundle.model(batch.inputs)
        assert len(expected) == len(batch.inputs)
        for name in exported:
            answers = exported[name][1](batch)
            torch.testing.assert_close(answers["logits"], expected, rtol=1e-5, atol=1e-5, msg=name)
            assert list(answers) == (["probabilities", "logits"] if name in ("onnx", "torch_export") else ["logits"])
            if "probabilities" in answers:
                torch.testing.assert_close(answers["probabilities"], expected.softmax(1), rtol=1e-5, atol=1e-6)


@texts
def test_a_text_is_answered_alike_alone_and_padded(case, exported):
    for name in exported:
        answer = exported[name][1]
        alone = torch.cat([answer(batch)["logits"] for batch in case.batches[: len(TEXTS)]])
        together = answer(case.batches[len(TEXTS)])["logits"]
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5, msg=name)


def test_the_artifact_answers_for_itself(case, exported):
    """What was returned runs what is in the file, not the model that was handed in."""
    batch, bias = case.batches[1], case.head.bias.detach().clone()
    expected = {name: answer(batch)["logits"] for name, (_, answer) in exported.items()}
    try:
        with torch.no_grad():
            case.head.bias.add_(100.0)
            assert (case.bundle.model(batch.inputs) - expected["onnx"]).abs().min() > 50
        for name, (_, answer) in exported.items():
            torch.testing.assert_close(answer(batch)["logits"], expected[name], msg=name)
    finally:
        with torch.no_grad():
            case.head.bias.copy_(bias)


def test_what_goes_with_an_artifact_is_beside_it(case, exported):
    for name, (path, _) in exported.items():
        if name != "transformers":
            own = {path.name} | ({"pets.safetensors.json"} if name == "safetensors" else set())
            assert {file.name for file in path.parent.iterdir()} == own | case.beside


def test_onnx_is_one_valid_file_that_says_what_it_needs(case, exported):
    path, _ = exported["onnx"]
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer)
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [18]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(facts["classes"]) == ["cat", "dog", "ré\nd"]
    assert json.loads(facts["preprocessing"]) == dict(case.bundle.export_signature.preprocessing)
    assert json.loads(facts["inputs"]) == case.inputs
    assert facts["activation"] == "softmax"
    assert facts["ftaug"] == __version__


def test_onnx_takes_named_tensors_of_any_size_and_gives_probabilities_and_logits(case, exported):
    session = onnxruntime.InferenceSession(exported["onnx"][0])
    results = [(result.name, result.type, result.shape) for result in session.get_outputs()]
    assert results == [(name, "tensor(float)", ["batch", 3]) for name in ("probabilities", "logits")]
    assert {given.name for given in session.get_inputs()} == set(case.inputs)
    for given in session.get_inputs():
        shape, kind = case.inputs[given.name].values()
        assert given.type == f"tensor({kind})"
        assert [n if isinstance(n, int) else str for n in given.shape] == [
            n if isinstance(n, int) else str for n in shape
        ]


def test_onnx_may_have_another_opset_and_input_name(tmp_path):
    bundle, path = of_image().bundle, tmp_path / "pets.onnx"
    exporters.onnx(bundle, path, opset=20, input_name="picture")
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    assert "picture" in json.loads({entry.key: entry.value for entry in written.metadata_props}["inputs"])
    assert [entry.version for entry in written.opset_import if entry.domain == ""] == [20]
    assert [entry.name for entry in written.graph.input] == ["picture"]


@texts
def test_onnx_with_several_inputs_has_their_names(case, tmp_path):
    message = "input_name: this model has several inputs, input_ids, attention_mask, token_type_ids"
    with pytest.raises(ExperimentError, match=message):
        exporters.onnx(case.bundle, tmp_path / "pets.onnx", input_name="words")


def test_onnx_without_its_packages_says_what_to_install(case, tmp_path, monkeypatch):
    monkeypatch.setattr(exporters, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(Unavailable, match=r"exporter 'onnx' needs onnxscript: pip install 'ftaug\[onnx\]'"):
        exporters.onnx(case.bundle, tmp_path / "a.onnx")


def test_torch_export_carries_its_facts(case, exported):
    extra = {"ftaug.json": ""}
    torch.export.load(exported["torch_export"][0], extra_files=extra)
    facts = json.loads(extra["ftaug.json"])
    assert facts["classes"] == ["cat", "dog", "ré\nd"]
    assert facts["inputs"] == case.inputs
    assert zipfile.is_zipfile(exported["torch_export"][0])


def test_safetensors_has_the_networks_own_names_and_its_facts_beside_it(case, exported):
    path, _ = exported["safetensors"]
    tensors = load_file(path)
    own = case.bundle.model.network.state_dict()
    assert set(tensors) == set(own)
    assert all(torch.equal(tensors[k], v) for k, v in own.items())
    facts = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert facts == json.loads(json.dumps({**exporters.description(case.bundle), "scale": None}))
    assert facts["preprocessing"] == dict(case.bundle.export_signature.preprocessing)
    assert path.stat().st_mode == path.with_name(f"{path.name}.json").stat().st_mode


def contents(path):
    """Each file of an artifact by its name, those within zip files too."""
    for file in sorted(path.rglob("*")) if path.is_dir() else path.parent.iterdir():
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                yield from ((name, archive.read(name)) for name in archive.namelist())
        else:
            yield file.name, file.read_bytes()


def test_an_artifact_holds_no_path_and_no_line_of_source_of_this_machine(case, exported):
    places = [str(Path(module.__file__).parents[1]).encode() for module in (exporters, torch, onnx)]
    for name, (path, _) in exported.items():
        for file, content in contents(path):
            found = re.findall(rb'File \\*".{0,80}|\.py\\*", line', content)
            found += [
                place for place in (*places, os.fsencode(path.parent), os.fsencode(Path.home())) if place in content
            ]
            assert not found, (name, file)


def test_torch_export_holds_an_example_that_is_no_sample(case, exported):
    (given, keywords) = torch.export.load(exported["torch_export"][0]).example_inputs
    assert not keywords
    export_signature = case.bundle.export_signature
    example = (
        export_signature.preprocessor.example
        if export_signature.preprocessor
        else export_signature.inputs(case.bundle.example)
    )
    assert [list(tensor.shape[1:]) for tensor in given] == [list(array.shape[1:]) for array in example.values()]
    assert all((tensor == 1).all() for tensor in given)


@texts
def test_onnx_and_the_tokenizer_beside_it_are_all_that_texts_need(case, exported):
    """What a user does who has the folder, tokenizers and ONNX Runtime, and never heard of ftaug."""
    path, _ = exported["onnx"]
    session = onnxruntime.InferenceSession(path)
    name = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])["tokenizer"]
    found = Tokenizer.from_file(str(path.with_name(name))).encode_batch(list(TEXTS))
    given = {
        "input_ids": np.array([one.ids for one in found]),
        "attention_mask": np.array([one.attention_mask for one in found]),
        "token_type_ids": np.array([one.type_ids for one in found]),
    }
    (logits,) = session.run(["logits"], given)
    with torch.inference_mode():
        expected = case.bundle.model(tokens(case.bundle.preprocessing, *TEXTS)).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("activation", "kind"), [("softmax", "single_label"), ("sigmoid", "multi_label")])
@texts
def test_transformers_alone_loads_the_folder_and_predicts_the_same(case, activation, kind, tmp_path):
    bundle = replace(case.bundle, activation=activation)
    folder = tmp_path / "pets-transformers"
    registry["transformers"].function(bundle, folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert model.config.id2label == dict(enumerate(TASK.classes))
    assert model.config.problem_type == f"{kind}_classification"
    assert len({file.stat().st_mode for file in folder.iterdir()}) == 1
    pipeline = transformers.pipeline("text-classification", model=str(folder), top_k=None, device="cpu")
    with torch.inference_mode():
        logits = bundle.model(tokens(bundle.preprocessing, *TEXTS))
    chances = logits.softmax(1) if activation == "softmax" else logits.sigmoid()
    for found, wanted in zip(pipeline(list(TEXTS), truncation=True), chances.tolist(), strict=True):
        scores = {one["label"]: one["score"] for one in found}
        assert scores == pytest.approx(dict(zip(TASK.classes, wanted, strict=True)), abs=1e-5)
    assert json.loads((folder / "ftaug.json").read_text())["classes"] == list(TASK.classes)


KINDS = {"softmax": "single_label_classification", "sigmoid": "multi_label_classification", "identity": "regression"}


@pytest.mark.parametrize("activation", KINDS)
def test_transformers_alone_classifies_pictures_of_any_size_the_same(activation, tmp_path):
    case, folder = of_timm(activation), tmp_path / "pets-transformers"
    loaded = registry["transformers"].function(case.bundle, folder)
    (batch,) = case.batches
    with torch.inference_mode():
        logits = case.bundle.model(batch.inputs)
    torch.testing.assert_close(loaded(batch)["logits"], logits, rtol=1e-3, atol=1e-3)
    model = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
    assert model.config.problem_type == KINDS[activation]
    images = [
        Image.fromarray(case.bundle.export_signature.preprocessor.decoded(one)["images"][0]) for one in batch.samples
    ]
    inputs = transformers.AutoImageProcessor.from_pretrained(folder)(images, return_tensors="pt")
    with torch.inference_mode():
        torch.testing.assert_close(model(**inputs).logits, logits, rtol=1e-3, atol=1e-3)
    answers = {"softmax": logits.softmax(1), "sigmoid": logits.sigmoid(), "identity": logits}[activation]
    pipeline = transformers.pipeline("image-classification", model=str(folder), device="cpu")
    older = int(transformers.__version__.split(".")[0]) < 5  # takes softmax for numbers unless told
    options = {"function_to_apply": FUNCTIONS[activation]} if older else {}
    for entries, answer in zip(pipeline(images, **options), answers.tolist(), strict=True):
        scores = {entry["label"]: entry["score"] for entry in entries}
        assert scores == pytest.approx(dict(zip(TASK.classes, answer, strict=True)), abs=1e-3)
    about = json.loads((folder / "ftaug.json").read_text())
    assert about["activation"] == activation
    assert about["inputs"] == {"images": {"shape": ["batch", "height", "width", 3], "type": "uint8"}}


def test_the_answers_of_a_folder_are_of_what_is_in_it(tmp_path):
    """Of its preprocessing, too: a parity check through the model's own inputs would not see a wrong mean."""
    case, folder = of_timm(), tmp_path / "pets-transformers"
    preprocessing = {**case.bundle.preprocessing, "mean": [0.4] * 3}
    save = partial(case.bundle.save, preprocessing=preprocessing)
    loaded = registry["transformers"].function(replace(case.bundle, save=save), folder)
    (batch,) = case.batches
    with torch.inference_mode():
        assert (loaded(batch)["logits"] - case.bundle.model(batch.inputs)).abs().max() > 0.05
