import copy
import json
import zipfile
from dataclasses import replace

import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ftaug import __version__
from ftaug.components import exporters
from ftaug.config.kinds import exporter as registry
from ftaug.errors import ExperimentError, Unavailable
from ftaug.image import samples
from ftaug.interfaces import Bundle, Task

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.25] * 3, "size": [16, 16], "resize": None, "interpolation": "bilinear"}

FORMATS = {"onnx": ".onnx", "torch_export": ".pt2", "safetensors": ".safetensors"}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )

    def forward(self, inputs):
        return self.network(inputs.float() / 64 - 2)


@pytest.fixture(scope="module")
def bundle():
    model = Model().to(memory_format=torch.channels_last).eval()
    model.network[1].running_mean.uniform_(-1, 1)
    facing = samples.facing(model, PREPROCESSING)
    return Bundle(model, pictures(1), Task(("cat", "dog", "ré\nd")), "softmax", PREPROCESSING, "pets", facing)


def pictures(n):
    """As the modality collates: uint8, channels_last."""
    generator = torch.Generator().manual_seed(n)
    batch = torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8, generator=generator)
    return batch.to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def exported(bundle, tmp_path_factory):
    """Every artefact: its path and what its exporter returned."""
    folder = tmp_path_factory.mktemp("exports")
    before = copy.deepcopy(bundle.model.state_dict())
    result = {}
    for name in FORMATS:
        path = folder / f"pets{registry[name].facts['suffix']}"
        result[name] = path, registry[name].function(bundle, path)
    assert all(torch.equal(v, before[k]) for k, v in bundle.model.state_dict().items())
    assert not bundle.model.training
    return result


def test_there_is_an_exporter_for_each_suffix():
    suffixes = {name: registry[name].facts["suffix"] for name in registry}
    assert suffixes == FORMATS | {"transformers": "-transformers"}


def test_numbers_that_the_network_alone_does_not_tell_have_their_scale_beside_the_weights(bundle, tmp_path):
    scale = {"mean": (1e6, 2.0, 3.0), "std": (1.0, 1.0, 0.5)}
    numbers = replace(bundle, task=Task(("a", "b", "c"), regression=True), activation="identity", scale=scale)
    registry["safetensors"].function(numbers, tmp_path / "a.safetensors")
    about = json.loads((tmp_path / "a.json").read_text())
    assert about["regression"] is True
    assert about["scale"] == {"mean": [1e6, 2.0, 3.0], "std": [1.0, 1.0, 0.5]}
    with pytest.raises(ExperimentError, match="the numbers' scale does not go into the network's last layer"):
        registry["transformers"].function(replace(numbers, save=lambda path: None), tmp_path / "b")


def test_transformers_takes_numbers_for_numbers(tmp_path):
    from transformers import AutoConfig, BertConfig, BertForSequenceClassification

    from ftaug.engine.units import Scale, Units, fold
    from ftaug.text import samples as texts
    from ftaug.text.network import Classifier

    tiny = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    own = BertForSequenceClassification(BertConfig(vocab_size=50, num_labels=1, **tiny)).eval()
    network = Classifier(own, has_types=False)
    batch = texts.collate([torch.tensor([[2, 7, 9], [0, 0, 0]]).numpy(), torch.tensor([[5, 3], [0, 0]]).numpy()])
    scale = Scale((100.0,), (20.0,))
    with torch.no_grad():
        expected = Units(scale)(network(batch))
    assert fold(network, scale, batch)
    facing, task = texts.facing(network, {"types": False}), Task(("score",), regression=True)
    told = Bundle(network, batch, task, "identity", {}, "scores", facing, save=own.save_pretrained)
    loaded = registry["transformers"].function(told, tmp_path / "scores")
    torch.testing.assert_close(loaded(batch), expected)
    assert AutoConfig.from_pretrained(tmp_path / "scores").problem_type == "regression"


def test_only_a_network_of_transformers_is_saved_as_one(bundle, tmp_path):
    with pytest.raises(ExperimentError, match="the backbone is not of the library transformers"):
        registry["transformers"].function(bundle, tmp_path / "pets")


@pytest.mark.parametrize("name", ["onnx", "torch_export", "safetensors"])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_artefact_answers_batches_of_any_size_as_the_model_does(bundle, exported, name, n):
    batch = pictures(n)
    with torch.inference_mode():
        expected = bundle.model(batch)
    torch.testing.assert_close(exported[name][1](batch), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"), [("onnx", {"opset": 20, "input_name": "picture"}), ("torch_export", {}), ("safetensors", {})]
)
def test_the_artefact_answers_for_itself(bundle, exported, name, settings, tmp_path):
    """What was returned runs what is in the file, not the model that was handed in."""
    model = copy.deepcopy(bundle.model)
    other = replace(bundle, model=model, facing=samples.facing(model, PREPROCESSING))
    path = tmp_path / "pets.bin"
    answer = registry[name].function(other, path, **settings)
    with torch.no_grad():
        model.network[5].bias.add_(100.0)
    torch.testing.assert_close(answer(pictures(2)), exported[name][1](pictures(2)))
    if name == "onnx":
        written = onnx.load(path)
        assert [entry.version for entry in written.opset_import if entry.domain == ""] == [20]
        assert [entry.name for entry in written.graph.input] == ["picture"]


def test_onnx_is_one_valid_file_that_says_what_it_needs(exported):
    path, _ = exported["onnx"]
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer)
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [18]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(facts["classes"]) == ["cat", "dog", "ré\nd"]
    assert json.loads(facts["preprocessing"]) == PREPROCESSING
    assert facts["activation"] == "softmax"
    assert facts["ftaug"] == __version__


def test_onnx_takes_pixels_and_gives_logits(exported):
    session = onnxruntime.InferenceSession(exported["onnx"][0])
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape[1:]) == ("pixels", "tensor(uint8)", [3, 16, 16])
    assert isinstance(given.shape[0], str)
    assert (result.name, result.type) == ("logits", "tensor(float)")


def test_onnx_without_its_packages_says_what_to_install(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(exporters, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(Unavailable, match=r"exporter 'onnx' needs onnxscript: pip install 'ftaug\[onnx\]'"):
        exporters.onnx(bundle, tmp_path / "a.onnx")


def test_torch_export_carries_its_facts(exported):
    extra = {"ftaug.json": ""}
    torch.export.load(exported["torch_export"][0], extra_files=extra)
    facts = json.loads(extra["ftaug.json"])
    assert facts["classes"] == ["cat", "dog", "ré\nd"]
    assert facts["inputs"] == {"pixels": {"shape": ["batch", 3, 16, 16], "type": "uint8"}}
    assert zipfile.is_zipfile(exported["torch_export"][0])


def test_safetensors_has_the_networks_own_names_and_its_facts_beside_it(bundle, exported):
    path, _ = exported["safetensors"]
    tensors = load_file(path)
    assert set(tensors) == set(bundle.model.network.state_dict())
    assert all(torch.equal(tensors[k], v) for k, v in bundle.model.network.state_dict().items())
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts == json.loads(json.dumps(exporters.description(bundle)))
    assert facts["preprocessing"] == PREPROCESSING
    assert path.stat().st_mode == path.with_suffix(".json").stat().st_mode
