"""Encoders of transformers: stages, answers, weights of any origin, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import tiny_models as models
import torch
import transformers
from safetensors.torch import load_file, save_file

from ftaug.engine.training import head_init
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.interfaces.model import Backbone, CannotCut
from ftaug.text.backbones.hf import hf
from ftaug.text.types import Text
from ftaug.weights import WeightsPath

CLASSES = ["bad", "good"]
TEXTS = [Text("the film was good"), Text("a very long and poor story and the end was not a good end"), Text("fine")]


def built(folder: Path, **settings: Any) -> Backbone:
    return hf(CLASSES, path=str(folder), **settings)


def loaded(folder: Path, **settings: Any) -> Backbone:
    backbone = built(folder, **settings)
    backbone.load_pretrained()
    backbone.network.eval()
    return backbone


@torch.no_grad()
def answers(backbone: Backbone, texts: list[Text]) -> torch.Tensor:
    logits: torch.Tensor = backbone.network(models.batch_of(backbone, texts))
    return logits


@pytest.mark.parametrize("family", models.FAMILIES)
def test_stages_cover_every_parameter_once(family: str, tmp_path: Path) -> None:
    backbone = built(models.write(tmp_path, family), weights="none")
    layers = ["layer1"] if family == "albert" else ["layer1", "layer2"]  # whose layers share their weights
    assert [stage.name for stage in backbone.stages] == ["embeddings", *layers, "head"]
    for name, _ in backbone.network.named_parameters():
        within = [s.name for s in backbone.stages if any(name == m or name.startswith(f"{m}.") for m in s.modules)]
        assert len(within) == 1, name
        if "embeddings" in name or "relative_attention_bias" in name:
            assert within == ["embeddings"], name
        if "classifier" in name or "pooler" in name:
            assert within == ["head"], name


@pytest.mark.parametrize("pad", [0, 3])
@pytest.mark.parametrize("family", models.FAMILIES)
def test_logits_are_those_of_transformers(family: str, pad: int, tmp_path: Path) -> None:
    """The oracle reads the folder itself, tokenizes and pads itself, and attends without kernels."""
    names = {"id2label": dict(enumerate(CLASSES)), "label2id": {"bad": 0, "good": 1}}
    models.write(tmp_path, family, pad=pad, head="SequenceClassification", **names)
    oracle = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path, attn_implementation="eager")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    backbone = loaded(tmp_path)
    for texts in (TEXTS, TEXTS[:1], [Text("a book", "a film"), Text("good")]):
        if texts[0].second is not None and not backbone.preprocessing["types"]:
            continue
        given = tokenizer([t.first if t.second is None else tuple(t) for t in texts], padding=True, return_tensors="pt")
        with torch.no_grad():
            torch.testing.assert_close(answers(backbone, texts), oracle.eval()(**given).logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize("head", ["", "MaskedLM"])
def test_a_new_head_answers_all_texts_alike_at_first(family: str, head: str, tmp_path: Path) -> None:
    """Only its last layer: what it is given, such as BERT's pooler, may come from the weights."""
    models.write(tmp_path, family, head=head)
    backbone = built(tmp_path)
    layers, pretrained = head_init.load_weights(backbone, len(CLASSES))
    assert pretrained
    head_init.start_at(layers, torch.tensor([0.25, 0.75]).log())
    backbone.network.eval()
    expected = torch.tensor([0.25, 0.75]).expand(len(TEXTS), -1)
    torch.testing.assert_close(answers(backbone, TEXTS).softmax(dim=1), expected)
    assert [tuple(layer.weight.shape) for layer in layers] == [(2, 16)]


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize("head", ["", "MaskedLM", "SequenceClassification"])
def test_the_encoder_is_loaded_whatever_head_it_has(family: str, head: str, tmp_path: Path) -> None:
    """A head for two classes of other names is not taken over."""
    models.write(tmp_path, family, head=head, seed=5)
    kind: Any = getattr(transformers, f"AutoModel{head and 'For'}{head}")
    theirs = kind.from_pretrained(tmp_path).base_model.state_dict()
    torch.manual_seed(0)
    backbone = built(tmp_path)
    drawn = {name: value.clone() for name, value in backbone.network.state_dict().items()}
    backbone.load_pretrained()
    own = backbone.network.model.base_model.state_dict()  # type: ignore[union-attr]
    for name in theirs.keys() & own.keys():
        assert torch.equal(own[name], theirs[name]), name
    classifier = [name for name in drawn if "classifier" in name]
    assert classifier
    assert all(torch.equal(drawn[name], backbone.network.state_dict()[name]) for name in classifier)


@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_head_for_tokens_is_loaded(family: str, tmp_path: Path) -> None:
    models.write(tmp_path, family, head="MaskedLM", seed=5)
    oracle = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    backbone = loaded(tmp_path, head="masked_tokens")
    batch = models.batch_of(backbone, TEXTS[:1])
    chosen = torch.full_like(batch[:, :1], 3)  # guessed, but shown as they are
    with torch.no_grad():
        logits = backbone.network(torch.cat([batch, chosen], dim=1))
        types = {"token_type_ids": batch[:, 2]} if backbone.preprocessing["types"] else {}
        torch.testing.assert_close(logits, oracle(input_ids=batch[:, 0], **types).logits[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "bert.", "model.bert."])
def test_any_prefix_of_the_names_will_do(prefix: str, tmp_path: Path) -> None:
    file = models.write(tmp_path, "bert", seed=5) / "model.safetensors"
    tensors = load_file(file)
    expected = answers_of_the_encoder(loaded(tmp_path))
    old = {key.replace("LayerNorm.weight", "LayerNorm.gamma"): tensor for key, tensor in tensors.items()}
    save_file({prefix + key: tensor for key, tensor in old.items()}, file)
    assert torch.equal(answers_of_the_encoder(loaded(tmp_path)), expected)


@torch.no_grad()
def answers_of_the_encoder(backbone: Backbone) -> torch.Tensor:
    batch = models.batch_of(backbone, TEXTS)
    hidden: torch.Tensor = backbone.network.model.base_model(batch[:, 0], batch[:, 1])[0]  # type: ignore[union-attr, operator]
    return hidden


def damage(folder: Path, change: Any) -> Path:
    file = models.write(folder, "bert") / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)
    return folder


QUERY = "encoder.layer.1.attention.self.query.weight"


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    def missing(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[QUERY]
        tensors["embeddings.word_embeddings.weight"] = torch.zeros(7, 16)

    with pytest.raises(BadData) as error:
        loaded(damage(tmp_path, missing))
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'model.safetensors'} does not fit the network: ")
    assert f"model.bert.{QUERY} is missing" in text
    assert "model.bert.embeddings.word_embeddings.weight is [7, 16] instead of [25, 16]" in text


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "modernbert"])
def test_a_file_with_other_names_is_loaded_by_order(family: str, tmp_path: Path) -> None:
    models.write(tmp_path, family, head="SequenceClassification", seed=5)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    state = theirs.state_dict()
    foreign = {f"net.{n}.{name.rpartition('.')[2]}": tensor for n, (name, tensor) in enumerate(state.items())}
    torch.save({"state_dict": foreign}, tmp_path / "foreign.pth")
    backbone = loaded(tmp_path, weights=WeightsPath(tmp_path / "foreign.pth", match="order"))
    own = backbone.network.model.base_model.state_dict()  # type: ignore[union-attr]
    inside = [name for name in own if "pooler" not in name]
    assert inside
    assert all(torch.equal(own[name], theirs.base_model.state_dict()[name]) for name in inside)
    assert [name.partition(".")[2].partition(".")[2] for name in backbone.facts["matches"]] == inside
    with pytest.raises(BadData, match=r"its names differ .* write weights: \{path: .*foreign\.pth, match: order\}"):
        loaded(tmp_path, weights=str(tmp_path / "foreign.pth"))


def test_weights_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    def poison(tensors: dict[str, torch.Tensor]) -> None:
        tensors[QUERY][3, 4] = float("nan")

    with pytest.raises(BadData, match=rf"model\.bert\.{QUERY} contains values that are not finite"):
        loaded(damage(tmp_path, poison))


def test_a_folder_without_safetensors_says_what_to_do(tmp_path: Path) -> None:
    models.write(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(MissingInput, match=r"no model\.safetensors.*not read.*save_pretrained"):
        loaded(tmp_path)


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"backbone\.hf\.path: .* is not a folder with a config\.json"):
        built(tmp_path)


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    models.write(tmp_path)
    canary = tmp_path / "canary"
    (tmp_path / "own.py").write_text(f"open({str(canary)!r}, 'w')\nclass Own: pass\n")
    config = json.loads((tmp_path / "config.json").read_text())
    for kind in (config["model_type"], "own-kind"):
        own = {"AutoConfig": "own.Own", "AutoModelForSequenceClassification": "own.Own"}
        (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": kind, "auto_map": own}))
        with pytest.raises(BadData, match=r"its own code \(auto_map in config\.json\), which is not run"):
            loaded(tmp_path)
    assert not canary.exists()


def test_code_that_comes_with_a_tokenizer_is_not_run(tmp_path: Path) -> None:
    models.write(tmp_path)
    canary, file = tmp_path / "canary", tmp_path / "tokenizer_config.json"
    (tmp_path / "own.py").write_text(f"open({str(canary)!r}, 'w')\nclass Own: pass\n")
    own = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **own}))
    with pytest.raises(BadData, match=r"its own code \(auto_map in tokenizer_config\.json\), which is not run"):
        built(tmp_path)
    assert not canary.exists()


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    models.write(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises((BadData, MissingInput), match="tokenizer"):
        built(tmp_path)


@pytest.mark.parametrize(("family", "pad", "most"), [("bert", 0, 40), ("roberta", 0, 39), ("roberta", 1, 38)])
def test_no_more_tokens_than_positions(family: str, pad: int, most: int, tmp_path: Path) -> None:
    """RoBERTa's positions begin behind the id of padding."""
    models.write(tmp_path, family, pad=pad)
    backbone = loaded(tmp_path, max_length=most)
    assert answers(backbone, [Text("good " * 60)]).isfinite().all()
    assert models.batch_of(backbone, [Text("good " * 60)]).shape == (1, 3, most)
    with pytest.raises(ExperimentError, match=rf"backbone\.hf\.max_length must be at most {most}, .*; got {most + 1}"):
        built(tmp_path, max_length=most + 1)
    assert built(tmp_path).preprocessing["max_length"] == most


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_what_writes_texts_is_refused(family: str, tmp_path: Path) -> None:
    config = transformers.AutoConfig.for_model(family, vocab_size=30)
    config.save_pretrained(tmp_path)
    models.tokenizer_of().save_pretrained(tmp_path)
    with pytest.raises(BadData, match=f"is a '{family}', which is not a text encoder: use one such as BERT"):
        built(tmp_path)


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    models.write(tmp_path, vocab_size=10)
    with pytest.raises(BadData, match=r"has 25 tokens, the model 10"):
        built(tmp_path)


def test_the_saved_model_opens_in_transformers(tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path / "from", "modernbert"))
    assert backbone.save is not None
    backbone.save(tmp_path / "to")
    oracle = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "to").eval()
    assert oracle.config.id2label == dict(enumerate(CLASSES))
    given = transformers.AutoTokenizer.from_pretrained(tmp_path / "to")(TEXTS[1].first, return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(answers(backbone, TEXTS[1:2]), oracle(**given).logits)
    shutil.rmtree(tmp_path / "from")
    assert torch.equal(answers(loaded(tmp_path / "to"), TEXTS), answers(backbone, TEXTS))


@pytest.mark.parametrize("offline", [["--offline"], []])
def test_offline_nothing_is_asked_of_the_hub(offline: list[str], tmp_path: Path) -> None:
    """In a process of its own: a server that the hub's library is pointed at hears of it, or does not."""
    heard: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        do_GET = do_HEAD

        def log_message(self, *_: object) -> None:
            pass

    code = f"import sys; from ftaug.cli import run; run({[*offline, 'list']!r})\n" + (
        "from ftaug.text.backbones.hf import hf\n"
        "from ftaug.errors import MissingInput\n"
        "try: hf(['a'], path='some/model')\n"
        "except MissingInput as error: print(error)\n"
    )
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | host, capture_output=True, text=True)
        server.shutdown()
    assert "backbone.hf.path: cannot get some/model: " in done.stdout, done.stderr
    assert bool(heard) == (not offline)
    assert ("; name a local folder" in done.stdout) == bool(offline)


@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_head_goes_on_from_what_the_layers_gave(family: str, tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path, family))
    head = [name for name, _ in backbone.network.named_parameters() if backbone.stages[-1].holds(name)]
    layers, rest = backbone.network.halves(head)
    with torch.no_grad():
        features = layers(models.batch_of(backbone, TEXTS))
        assert features.shape == (len(TEXTS), 1, 16)
        for name in head:  # what the head learns later is in both
            backbone.network.get_parameter(name).add_(torch.randn(1))
        torch.testing.assert_close(rest(features), answers(backbone, TEXTS), rtol=1e-4, atol=1e-5)
    for stage in backbone.stages[:-1]:
        one = next(name for name, _ in backbone.network.named_parameters() if stage.holds(name))
        with pytest.raises(CannotCut, match="what a whole encoder gives can be stored, and a part of it learns"):
            backbone.network.halves([*head, one])


def test_a_head_that_looks_at_all_tokens_is_not_cut(tmp_path: Path) -> None:
    backbone = loaded(models.write(tmp_path, "modernbert", classifier_pooling="mean"))
    head = [name for name, _ in backbone.network.named_parameters() if backbone.stages[-1].holds(name)]
    layers, rest = backbone.network.halves(head)
    with torch.no_grad():
        found = rest(layers(models.batch_of(backbone, TEXTS)))
    assert not torch.allclose(found, answers(backbone, TEXTS), rtol=1e-3)  # which is what the engine looks at
