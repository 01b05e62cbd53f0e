"""Mean pooling: logits against transformers and numpy, when it is chosen, and runs whose model is gone."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tiny_models as models
import torch
import transformers
import yaml
from safetensors.torch import load_file, save_file

from ftaug.cli import run
from ftaug.engine.training import head_init
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.model import Backbone, CannotCut
from ftaug.text.backbones.hf import _load_config, hf
from ftaug.text.mean_pooling import MeanClassifier, dropout_rate
from ftaug.text.network import Mixed
from ftaug.text.types import Text

CLASSES = ["bad", "good", "so-so"]
TEXTS = [Text("the film was good"), Text("a very long and poor story and the end was not a good end"), Text("fine")]
PAIRS = [Text("a book", "a film was not a good film"), Text("good")]
FLAGS = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}


def pooling_file(folder: Path, content: str) -> Path:
    """Write what sentence-transformers writes of pooling; returns the model's folder."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(content)
    return folder


def loaded(folder: Path, **settings: Any) -> Backbone:
    torch.manual_seed(0)
    backbone = hf(CLASSES, path=str(folder), **settings)
    backbone.load_pretrained()
    backbone.network.eval()
    return backbone


@torch.no_grad()
def answers(backbone: Backbone, texts: list[Text]) -> np.ndarray:
    return backbone.network(models.batch_of(backbone, texts)).numpy()


def means(folder: Path, texts: list[Text]) -> np.ndarray:
    """The oracle: each text alone, so that nothing is padded, by transformers without kernels, averaged by numpy."""
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    for text in texts:
        given = tokenizer(text.first, text.second, return_tensors="pt")
        with torch.no_grad():
            found.append(model(**given).last_hidden_state[0].numpy().mean(axis=0))
    return np.stack(found)


@pytest.mark.parametrize("pad", [0, 3])
@pytest.mark.parametrize("family", models.FAMILIES)
def test_logits_are_linear_in_the_mean_of_the_last_hidden_states(family: str, pad: int, tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path, family, pad=pad), pooling="mean")
    head = backbone.network.model.mean_head  # type: ignore[union-attr]
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()  # type: ignore[union-attr, operator]
    for texts in (TEXTS, PAIRS) if backbone.preprocessing["types"] else (TEXTS,):
        np.testing.assert_allclose(answers(backbone, texts), means(tmp_path, texts) @ weight.T + bias, 1e-4, 1e-5)


def test_padding_changes_nothing(tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path), pooling="mean")
    batch = models.batch_of(backbone, TEXTS)
    longer = torch.nn.functional.pad(batch, (0, 9))
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(longer), backbone.network(batch))


@pytest.mark.parametrize("family", models.FAMILIES)
def test_stages_and_new_head(family: str, tmp_path: Path) -> None:
    """Every parameter learns; the head's last layer is the one that starts at the best constant answer."""
    torch.manual_seed(0)
    backbone = hf(CLASSES, path=str(models.write(tmp_path, family)), pooling="mean")
    names = [name for name, _ in backbone.network.named_parameters()]
    for name in names:
        assert sum(stage.holds(name) for stage in backbone.stages) == 1, name
    assert {"model.mean_head.weight", "model.mean_head.bias"} <= {n for n in names if backbone.stages[-1].holds(n)}
    (layer,) = head_init.last_layers(backbone.network, backbone.stages[-1], len(CLASSES))
    head_init.start_at([layer], torch.tensor([0.2, 0.3, 0.5]).log())
    assert layer is backbone.network.model.mean_head  # type: ignore[union-attr]
    torch.testing.assert_close(
        backbone.network(models.batch_of(backbone, TEXTS)).softmax(dim=1), torch.tensor([[0.2, 0.3, 0.5]] * 3)
    )
    torch.nn.init.normal_(layer.weight)  # type: ignore[arg-type]
    backbone.network(models.batch_of(backbone, [*TEXTS, *PAIRS])).logsumexp(dim=1).sum().backward()
    assert [n for n in names if backbone.network.get_parameter(n).grad is None] == []


@pytest.mark.parametrize(
    ("content", "pooling", "mean"),
    [
        (json.dumps(FLAGS), "auto", True),
        (json.dumps({"embedding_dimension": 16, "pooling_mode": "mean"}), "auto", True),
        (json.dumps({**FLAGS, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}), "auto", False),
        (json.dumps({"embedding_dimension": 16, "pooling_mode": "cls"}), "auto", False),
        (None, "auto", False),
        (None, "mean", True),
        (json.dumps(FLAGS), "model", False),
    ],
)
def test_what_is_chosen(content: str | None, pooling: str, mean: bool, tmp_path: Path) -> None:
    models.write(tmp_path)
    if content is not None:
        pooling_file(tmp_path, content)
    assert isinstance(hf(CLASSES, path=str(tmp_path), pooling=pooling).network, MeanClassifier) == mean  # type: ignore[arg-type]


def test_a_model_on_the_hub_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are in the hub's cache; a model without a pooling file is one of any other encoder."""
    cache = pooling_file(models.write(tmp_path / "cache"), json.dumps(FLAGS))

    def cached(name: str, file: str, **_: Any) -> str:
        if name != "org/sentences":
            raise OSError(f"{name} does not appear to have a file named {file}")
        return str(cache / file)

    monkeypatch.setattr(transformers.utils.hub, "cached_file", cached)
    monkeypatch.setattr("ftaug.text.backbones.hf._load_config", lambda path: _load_config(str(cache)))
    assert isinstance(hf(CLASSES, path="org/sentences").network, MeanClassifier)
    assert not isinstance(hf(CLASSES, path="org/other").network, MeanClassifier)


def test_a_damaged_pooling_file_is_named(tmp_path: Path) -> None:
    folder = pooling_file(models.write(tmp_path), "[]")
    with pytest.raises(
        BadData, match=r"1_Pooling/config\.json: not a JSON object; fix it, or set pooling: model or mean"
    ):
        hf(CLASSES, path=str(folder))
    assert isinstance(hf(CLASSES, path=str(folder), pooling="mean").network, MeanClassifier)


def test_masked_tokens_are_not_pooled(tmp_path: Path) -> None:
    folder = pooling_file(models.write(tmp_path), json.dumps(FLAGS))
    assert not isinstance(hf(CLASSES, path=str(folder), head="masked_tokens").network, MeanClassifier)
    with pytest.raises(ExperimentError, match=r"backbone\.hf\.pooling: mean is for head: classes; leave it out"):
        hf(CLASSES, path=str(folder), head="masked_tokens", pooling="mean")


def test_a_head_that_was_trained_on_other_features_is_left(tmp_path: Path) -> None:
    """It has the shape of the new one, and is for the same classes."""
    names = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: i for i, name in enumerate(CLASSES)}}
    models.write(tmp_path, "bert", head="SequenceClassification", **names)
    assert load_file(tmp_path / "model.safetensors")["classifier.weight"].shape == (3, 16)
    assert len(head_init.load_weights(hf(CLASSES, path=str(tmp_path), pooling="mean"), 3).new_layers) == 1
    assert head_init.load_weights(hf(CLASSES, path=str(tmp_path), pooling="model"), 3).new_layers == ()


def test_a_head_of_the_same_kind_and_classes_is_taken_over(tmp_path: Path) -> None:
    first = loaded(models.write(tmp_path), pooling="mean")
    about = {"ftaug": json.dumps({"classes": CLASSES})}
    save_file(first.network.state_dict(), tmp_path / "trained.safetensors", about)
    second = hf(CLASSES, path=str(tmp_path), pooling="mean", weights=str(tmp_path / "trained.safetensors"))
    second.load_pretrained()
    second.network.eval()
    assert np.array_equal(answers(second, TEXTS), answers(first, TEXTS))


@pytest.mark.parametrize(
    ("family", "settings", "rate"),
    [
        ("bert", {"hidden_dropout_prob": 0.3}, 0.3),
        ("bert", {"hidden_dropout_prob": 0.3, "classifier_dropout": 0.0}, 0.0),
        ("albert", {"classifier_dropout_prob": 0.4}, 0.4),
        ("distilbert", {"seq_classif_dropout": 0.25}, 0.25),
        ("deberta-v2", {"cls_dropout": 0.15, "hidden_dropout_prob": 0.3}, 0.15),
        ("modernbert", {"classifier_dropout": 0.2}, 0.2),
    ],
)
def test_dropout_is_that_of_the_models_own_classifier(family: str, settings: dict[str, float], rate: float) -> None:
    config = models.config_of(family, **settings)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    prefix = f"{model.base_model_prefix}."
    last = [m.p for n, m in model.named_modules() if isinstance(m, torch.nn.Dropout) and not n.startswith(prefix)]
    theirs = last[-1] if last else model.config.cls_dropout
    assert dropout_rate(config) == rate == theirs


def test_mixed_embeddings_of_a_text_with_itself_are_the_text(tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path), pooling="mean")
    batch = models.batch_of(backbone, TEXTS)
    with torch.no_grad():
        mixed = backbone.network(Mixed(batch, batch, torch.tensor([0.3, 0.5, 1.0])))
        torch.testing.assert_close(mixed, backbone.network(batch))


@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_mean_of_a_frozen_encoder_can_be_stored(family: str, tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path, family), pooling="mean")
    head = [name for name, _ in backbone.network.named_parameters() if "mean_head" in name]
    pooled, rest = backbone.network.halves(head)  # type: ignore[union-attr, operator]
    features = pooled(models.batch_of(backbone, TEXTS))
    np.testing.assert_allclose(features.detach().numpy(), means(tmp_path, TEXTS), 1e-4, 1e-5)
    np.testing.assert_allclose(rest(features).detach().numpy(), answers(backbone, TEXTS), 1e-4, 1e-5)
    for stage in backbone.stages[:-1]:
        one = next(name for name, _ in backbone.network.named_parameters() if stage.holds(name))
        with pytest.raises(CannotCut, match="the output of the whole encoder can be stored, and a part of it learns"):
            backbone.network.halves([*head, one])  # type: ignore[union-attr, operator]


EXPERIMENT = """
modality: text
data: {train: {text_table: {path: texts.csv}}, val: {split: 25%}, batch_size: 8, workers: 0}
backbone: {hf: {path: model}}
lr: {peak: 1e-2}
train: {epochs: 1}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pooling_file(models.write(tmp_path / "model"), json.dumps(FLAGS))
    texts = [f"{label},a {label} film and {'very ' * (n % 7)}long" for n in range(16) for label in ("good", "bad")]
    (tmp_path / "texts.csv").write_text("\n".join(["label,text", *texts]))
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    return tmp_path


def test_a_run_is_used_without_the_model_it_began_from(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "experiment.yaml", "--run-dir", "run"]) == 0
    assert run(["evaluate", "run", "--json"]) == 0
    first, screen = capsys.readouterr()
    assert "pooling     auto → mean (1_Pooling/config.json)" in screen
    shutil.rmtree(place / "model")
    assert run(["evaluate", "run", "--json"]) == 0
    assert first.endswith(capsys.readouterr().out)
    assert run(["export", "run", "--format", "safetensors"]) == 0
    kept = yaml.safe_load((place / "run/resolved.yaml").read_text())["backbone"]["hf"]
    assert kept["pooling"] == "auto" and (place / "run/backbone/1_Pooling/config.json").is_file()


def test_an_interrupted_run_goes_on_with_the_same_bits(place: Path) -> None:
    command = ["train", "experiment.yaml", "train.save_every=1 steps", "--run-dir"]
    assert run([*command, "whole"]) == 0
    shutil.copytree(place / "whole", place / "cut", symlinks=True)
    (place / "cut/complete.json").unlink()
    shutil.rmtree(sorted((place / "cut/checkpoints").iterdir())[-1])
    assert run([*command, "cut"]) == 0
    whole, cut = (
        load_file(sorted((place / name / "checkpoints").glob("*/model.safetensors"))[-1]) for name in ("whole", "cut")
    )
    assert "model.mean_head.weight" in whole and whole.keys() == cut.keys()
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_training_on_stored_features_is_training(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frozen = ["unfreeze=[head]", "train.precision=fp32"]
    assert run(["train", "experiment.yaml", "--run-dir", "stored", *frozen, "train.cache_features={views: 1}"]) == 0
    assert "features" in capsys.readouterr().err
    assert run(["train", "experiment.yaml", "--run-dir", "plain", *frozen]) == 0
    stored, plain = (load_file(place / name / "best/model.safetensors") for name in ("stored", "plain"))
    torch.testing.assert_close(stored, plain)


def test_onnx_answers_as_the_oracle_does(place: Path) -> None:
    assert run(["train", "experiment.yaml", "--run-dir", "run", "unfreeze=[head]"]) == 0
    assert run(["export", "run", "--format", "onnx", "--format", "safetensors"]) == 0
    (onnx,), (weights,) = ((place / "run/exports").glob(name) for name in ("onnx/*.onnx", "safetensors/*.safetensors"))
    tensors = load_file(weights)
    texts = [Text("a good film"), Text("a bad film and very very long")]
    head = [tensors[f"model.mean_head.{name}"].numpy() for name in ("weight", "bias")]
    expected = means(place / "model", texts) @ head[0].T + head[1]
    given = transformers.AutoTokenizer.from_pretrained(place / "model")(
        [text.first for text in texts], padding=True, return_tensors="np"
    )
    (logits,) = onnxruntime.InferenceSession(onnx).run(["logits"], dict(given))
    np.testing.assert_allclose(logits, expected, 1e-4, 1e-5)


def test_transformers_cannot_hold_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "experiment.yaml", "--run-dir", "run"]) == 0
    capsys.readouterr()
    assert run(["export", "run", "--format", "transformers"]) == 2
    assert capsys.readouterr().err.strip() == (
        "exporter 'transformers': transformers has no model for a classifier with pooling: mean; use onnx, "
        "torch_export or safetensors, or train with pooling: model"
    )
    assert not list(place.glob("run/exports/*/*-transformers"))
