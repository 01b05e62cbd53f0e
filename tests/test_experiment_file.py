"""A file and overrides become an experiment, or everything that is wrong with them is reported at once."""

import dataclasses
import difflib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from ftaug.config.dump import digest, to_yaml
from ftaug.config.experiment import Last, Split, UnfreezeStage
from ftaug.config.registry import REGISTRIES
from ftaug.config.types import Duration, TimeLimit
from ftaug.errors import ExperimentError, MissingInput
from ftaug.experiment_file import import_components, load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
SMALLEST = "data: {train: digits}\nbackbone: resnet18\n"

FULL = """
name: flowers
seed: 3
data:
  train: {image_folder: {path: photos/train}}
  val: {split: 20%}
  test: {split: 300}
  batch_size: 16
  workers: 2
backbone: {resnet18: {weights: none}}
unfreeze:
  - {layers: [head, last: 2]}
  - {from: 2 epochs, layers: [layer4], lr: 0.1}
augment:
  - horizontal_flip
  - rotate: {degrees: 15}
  - rotate
mix: {cutmix: {alpha: 1.0}}
loss: {cross_entropy: {label_smoothing: 0.1}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 1e-3, schedule: {cosine: {warmup: 5%}}, layer_decay: 0.9, stages: {"layer4.*": 0.5, stem: 1}}
train: {epochs: 10, precision: fp32, gradient_accumulation: 2, clip_norm: 1, ema: 0.999, max_time: 1:30,
  save_every: 50 steps, early_stop: {patience: 3}}
evaluate: {every: 1 epoch, metrics: [f1, accuracy], best: loss, batch_size: 7}
"""


@pytest.fixture(autouse=True)
def forget_plugins():
    """Leave the registries as they were before the test's plugins."""
    import_components("image")
    before = {registry: dict(registry._entries) for registry in REGISTRIES.values()}
    yield
    for registry, entries in before.items():
        registry._entries = entries


def test_the_smallest_file_gets_every_default(write):
    experiment = load(write(SMALLEST, "my first.yaml"))
    assert experiment.name == "my_first"
    assert experiment.data.val == Split(0.2)
    assert experiment.optimizer.name == "adamw"
    assert experiment.lr.schedule.settings["warmup"] == Duration(0, "steps")
    assert experiment.evaluate.metrics[0].name == "accuracy"


def test_a_file_that_sets_everything(write):
    path = write(FULL)
    experiment = load(path)
    assert experiment.data.train.settings["path"] == path.parent / "photos" / "train"
    assert experiment.data.test == Split(300)
    assert experiment.unfreeze[0].layers == ("head", Last(2))
    assert experiment.unfreeze[1] == UnfreezeStage(("layer4",), Duration(2, "epochs"), 0.1)
    assert experiment.train.max_time == TimeLimit(5400)
    assert experiment.lr.stages == {"layer4.*": 0.5, "stem": 1}
    assert str(experiment.augment[1].place).endswith("experiment.yaml:16:5")
    assert str(experiment.augment[0].place).endswith("experiment.yaml:15:5")
    assert experiment.lr.schedule.place.line == 21


def test_an_experiment_hashes_and_pickles(write):
    experiment = load(write(FULL))
    assert pickle.loads(pickle.dumps(experiment)) == experiment
    assert hash(pickle.loads(pickle.dumps(experiment))) == hash(experiment)
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.seed = 1


EIGHT_MISTAKES = """\
data:
  train: digits
  val: {split: 1.5}
  batch_size: true
backbone: resnt18
learning_rate: 0.1
augment:
  - horizontal_flip
  - rotate: {degrees: 15}
  - rotate: {degrees: 400}
train: {epoch: 5, precision: fp8, clip_norm: 1}
train: {epochs: 6}
"""


def test_all_mistakes_of_file_and_overrides_are_reported_at_once(problems):
    assert problems(EIGHT_MISTAKES, "optimizer.adamw.weight_decay=-1", "train.epochz=1") == [
        "f.yaml:3:16: data.val.split must be a whole number of 1 or more, or a share above 0 and up to 1, "
        "such as 0.2 or 20%; got 1.5",
        "f.yaml:4:15: data.batch_size must be a whole number of 1 or more; got true",
        "f.yaml:5:11: no backbone 'resnt18'; did you mean 'resnet18'?",
        "f.yaml:6:1: unknown key 'learning_rate'; did you mean 'lr.peak'?",
        "f.yaml:10:23: augment.2.rotate.degrees must be an angle from 0 to 360 degrees; got 400",
        "f.yaml:11:9: unknown key 'epoch' in train; did you mean 'epochs'?",
        "f.yaml:11:30: train.precision must be one of auto, fp32, bf16 or fp16; got fp8",
        "f.yaml:12:1: the key 'train' is already set on line 11",
        "override 'optimizer.adamw.weight_decay=-1': "
        "optimizer.adamw.weight_decay must be a number of 0 or more; got -1",
        "override 'train.epochz=1': unknown key 'epochz' in train; did you mean 'epochs'?",
    ]


def test_a_contradiction_is_reported_beside_other_mistakes(problems):
    text = SMALLEST + "evaluate: {metrics: [f1], best: recall}\nloss: nothing\n"
    lines = problems(text)
    assert len(lines) == 2
    assert lines[0] == "f.yaml:3:33: evaluate.best must be one of the metrics, f1 or loss; got recall"


def test_a_contradiction_with_a_faulty_part_is_not_reported(problems):
    (line,) = problems(SMALLEST + "evaluate: {metrics: [f2], best: f1}\n")
    assert line.startswith("f.yaml:3:22: no metric 'f2'")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lr: {peak: 0}", "3:12: lr.peak must be a number above 0; got 0"),
        ("lr: {layer_decay: 0}", "3:19: lr.layer_decay must be a share above 0 and up to 1"),
        ("lr: .nan", "3:5: lr must be a mapping with the keys peak, schedule, layer_decay, stages; got nan"),
        ("lr: {peak: .inf}", "3:12: lr.peak must be a number above 0; got inf"),
        ("seed: -1", "3:7: seed must be a whole number of 0 or more; got -1"),
        *((f"name: {name}", "3:7: name must be a valid folder name") for name in ("..", "/etc/x", "-rf", "x" * 300)),
        ("modality: video", "3:11: modality must be one of image, text or audio; got video"),
        ("plugins: [1]", "3:11: plugins.0 must be a file such as my_ops.py, or the name of a module; got 1"),
    ],
)
def test_values_out_of_range(problems, text, line):
    (found,) = problems(f"{SMALLEST}{text}\n")
    assert found.startswith(f"f.yaml:{line}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("backbone={_target_: os.system}", "no backbone '_target_'"),
        ("backbone='os:system'", "no backbone 'os:system'"),
        ("augment=[os.system]", "no augmentation 'os.system'"),
        ("optimizer.torch.optim.SGD={lr: 1}", "no optimizer 'torch'"),
        ("include=other.yaml", "unknown key 'include'"),
        ("defaults=[other]", "unknown key 'defaults'"),
    ],
)
def test_objects_of_python_and_other_files_are_not_looked_up(problems, override, message):
    (line,) = problems(SMALLEST, override)
    assert line.startswith("override ")
    assert message in line


def test_the_best_metric_is_the_first_unless_set(write):
    assert load(write(SMALLEST + "evaluate: {metrics: [f1, accuracy]}\n")).evaluate.best == "f1"
    assert load(write(SMALLEST), ["evaluate.metrics=[f1]"]).evaluate.best == "f1"


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("num_train_epochs: 3", "train.epochs"),
        ("gradient_accumulation_steps: 3", "train.gradient_accumulation"),
        ("gradient_accumulation: 3", "train.gradient_accumulation"),
        ("accumulate: 3", "train.gradient_accumulation"),
        ("augment_on: cpu", "data.augment_device"),
        ("views: flip", "evaluate.tta"),
        ("batch_size: 3", "evaluate.batch_size"),
        ("lr0: 3", "lr.peak"),
        ("freeze: 3", "unfreeze"),
        ("epochs: 3", "train.epochs"),
        ("precision: fp32", "train.precision"),
        ("model: resnet18", "backbone"),
        ("opitmizer: sgd", "optimizer"),
    ],
)
def test_keys_of_other_tools_are_only_suggestions(problems, key, suggestion):
    (line,) = problems(f"{SMALLEST}{key}\n")
    name = key.partition(":")[0]
    expected = "data.batch_size" if name == "batch_size" else suggestion
    assert line == f"f.yaml:3:1: unknown key '{name}'; did you mean '{expected}'?"


def test_missing_keys_say_what_they_must_be(problems):
    assert problems("data: {batch_size: 3}\n") == [
        "f.yaml: missing key 'backbone': it must be a backbone",
        "f.yaml:1:1: missing key 'train' in data: it must be a dataset",
    ]


def test_a_missing_file(tmp_path):
    with pytest.raises(MissingInput, match="no such file"):
        load(tmp_path / "none.yaml")


PLUGIN = '''
from ftaug.image import augmentation

@augmentation.register
def {name}(canvas, rng, *, strength: float = 1.0):
    """Do as the plugin says.

    Settings:
        strength: how much
    """
    return strength
'''


def with_plugin(name: str) -> str:
    return f"{SMALLEST}plugins: [{name}.py]\naugment: [{{{name}: {{strength: 2}}}}]\n"


def test_a_plugin_beside_the_file(write, tmp_path, monkeypatch):
    write(PLUGIN.format(name="beside"), "beside.py")
    monkeypatch.chdir("/")
    experiment = load(write(with_plugin("beside")))
    assert experiment.plugins == (str(tmp_path / "beside.py"),)
    assert experiment.augment[0](None, None) == 2.0
    assert load(write(to_yaml(experiment), "resolved.yaml")) == experiment


def test_a_plugin_is_imported_again_by_workers_that_are_spawned(write, tmp_path):
    write(PLUGIN.format(name="spawned"), "spawned.py")
    (tmp_path / "pickled").write_bytes(pickle.dumps(load(write(with_plugin("spawned"))).augment[0]))
    program = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))(None, None))"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "pickled"], capture_output=True, text=True, cwd="/", timeout=60
    )
    assert done.stdout == "2.0\n", done.stderr


def test_an_edited_plugin_is_another_experiment(write):
    plugin = write(PLUGIN.format(name="edited"), "edited.py")
    path = write(with_plugin("edited"))
    before = digest(load(path))
    plugin.write_text(plugin.read_text() + "# changed\n")
    assert digest(load(path)) != before


def test_plugins_need_not_be_imported(write, problems, tmp_path):
    write("raise SystemExit('imported')", "unread.py")
    (line,) = problems(with_plugin("unread"), plugins=False)
    assert line.startswith("f.yaml:4:12: no augmentation 'unread'; there are ")
    assert line.endswith(" (not imported: unread.py)")
    assert "unread" not in sys.modules


@pytest.mark.parametrize(
    ("source", "story"),
    [
        (None, "no such file"),
        ("x = 1\nundefined\n", "fails when imported: NameError: name 'undefined' is not defined (broken.py, line 2)"),
        ("def x(:\n", "fails when imported: SyntaxError: "),
        (
            "from ftaug.image.augmentations.draws import Pixels",
            "fails when imported: ModuleNotFoundError: No module named 'ftaug.image.augmentations.draws' "
            "(broken.py, line 1); for the current import paths see docs/writing-a-component.md",
        ),
        ("raise SystemExit('bye')", "fails when imported: SystemExit: bye (broken.py, line 1)"),
        (
            "from ftaug.image import augmentation\n@augmentation.register\ndef f(size): 'x.'\n",
            "fails when imported: TypeError: ",
        ),
        (
            PLUGIN.format(name="broken").replace("float", "complex"),
            "broken.py: broken: the type of 'strength', <class 'complex'>, cannot be written in YAML",
        ),
        (
            PLUGIN.format(name="rotate"),
            "fails when imported: TypeError: broken.py: rotate: the augmentation 'rotate' already exists "
            "(ftaug.image.augmentations.geometry: rotate); choose another name",
        ),
    ],
)
def test_a_plugin_that_fails(write, problems, source, story):
    if source is not None:
        write(source, "broken.py")
    (line,) = problems(f"{SMALLEST}plugins: [broken.py]\n")
    assert line.startswith(f"f.yaml:3:11: plugins.0 (broken.py) {story}")


def test_a_module_that_is_not_there(problems):
    (line,) = problems(f"{SMALLEST}plugins: [no_such_module]\n")
    assert line.startswith("f.yaml:3:11: plugins.0 (no_such_module) no such module; for a file beside the experiment")


def test_loading_imports_nothing_heavy(write):
    program = (
        "import sys, json; from ftaug.experiment_file import load; load(sys.argv[1]);"
        "print(json.dumps([m for m in ('torch', 'torchvision', 'sklearn', 'cv2', 'rich') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program, write(FULL)], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == [], done.stderr


@pytest.mark.parametrize(
    ("modality", "other", "kind", "key", "name"),
    [
        ("text", "image", "augmentation", "augment", "rotate"),
        ("image", "text", "augmentation", "augment", "aeda"),
        ("image", "text", "dataset", "data.train", "text_table"),
        ("text", "image", "backbone", "backbone", "resnet18"),
        ("image", "text or audio", "backbone", "backbone", "hf"),
    ],
)
def test_a_component_of_another_modality_is_told_to_be_one(tmp_path, modality, other, kind, key, name):
    own = {"image": ("digits", "resnet18"), "text": ("docstrings", "tiny_text")}[modality]
    path = tmp_path / "f.yaml"
    path.write_text(f"modality: {modality}\ndata: {{train: {own[0]}}}\nbackbone: {own[1]}\naugment: []\n")
    with pytest.raises(ExperimentError) as caught:
        load(path, [f"{key}={[name] if key == 'augment' else name}".replace("'", "")])
    expected = f"the {kind} '{name}' is for modality {other}, but this experiment is {modality}; "
    expected += f"choose another, or set modality: {other}"
    assert str(caught.value).endswith(expected)


def test_what_a_component_misses_is_told_with_its_place(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("data: {train: {image_folder: {path: photos}}}\nbackbone: resnet18\naugment: []\n")
    with pytest.raises(MissingInput) as caught:
        load(path).data.train("train")
    assert str(caught.value).startswith(f"{path}:1:16: no folder {tmp_path}/photos")


def test_a_component_of_another_kind_is_told_to_be_one(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("data: {train: digits}\nbackbone: digits\naugment: [mixup]\nmix: rotate\n")
    with pytest.raises(ExperimentError) as caught:
        load(path)
    assert str(caught.value).splitlines() == [
        f"{path}:2:11: 'digits' is a dataset, not a backbone; see ftaug list dataset digits",
        f"{path}:3:11: 'mixup' is a mix, not an augmentation; see ftaug list mix mixup",
        f"{path}:4:6: 'rotate' is an augmentation, not a mix; see ftaug list augmentation rotate",
    ]


def test_short_forms_of_lists_mean_what_the_long_ones_do(write, tmp_path):
    long = "augment: [{one_of: {choices: [rotate, {rotate: {degrees: 5}}]}}]\nunfreeze: [head]\nplugins: [json]\n"
    short = "augment:\n  - one_of: [rotate, {rotate: {degrees: 5}}]\nunfreeze: head\nplugins: json\n"
    experiment = load(write(SMALLEST + short + "evaluate: {metrics: f1}\n"))
    assert digest(experiment) == digest(load(write(SMALLEST + long + "evaluate: {metrics: [f1], best: f1}\n")))
    choices = experiment.augment[0].settings["choices"]
    assert [str(choice.place).rpartition("yaml:")[2] for choice in choices] == ["4:14", "4:23"]
    assert str(experiment.evaluate.metrics[0].place).endswith(":7:21")


def test_mistakes_inside_short_forms_are_found_with_the_others(write):
    text = "augment:\n  - one_of: [rotat, {rotate: {degrees: 400}}]\nevaluate: {metrics: acuracy}\ntrain: {epochs: 0}\n"
    with pytest.raises(ExperimentError) as error:
        load(write(SMALLEST + text))
    found = [str(problem).rpartition("yaml:")[2] for problem in error.value.problems]
    assert found[:3] == [
        "4:14: no augmentation 'rotat'; did you mean 'rotate'?",
        "4:40: augment.0.one_of.1.rotate.degrees must be an angle from 0 to 360 degrees; got 400",
        "5:21: no metric 'acuracy'; did you mean 'accuracy'?",
    ]
    assert found[3].startswith("6:17: train.epochs")


@pytest.mark.parametrize(
    ("lines", "first", "count"),
    [
        ("".join(f"k{n}: 1\n" for n in range(9_000)), "unknown key 'k0'; valid keys: data", 9_000),
        ("augment:\n" + "".join(f"  - rotat{n}\n" for n in range(4_000)), "did you mean 'rotate", 4_000),
        ("k: 1\n" * 4_000, "unknown key 'k'", 4_000),
    ],
    ids=["keys", "components", "duplicates"],
)
def test_of_many_problems_the_first_are_shown_with_how_many_more(tmp_path, monkeypatch, lines, first, count):
    path = tmp_path / "many.yaml"
    path.write_text(f"data: {{train: digits}}\nbackbone: resnet18\n{lines}")
    looked_up = []
    near = difflib.get_close_matches
    monkeypatch.setattr(
        difflib, "get_close_matches", lambda *given, **named: looked_up.append(1) or near(*given, **named)
    )
    with pytest.raises(ExperimentError) as info:
        load(path)
    assert len(info.value.problems) == 21
    assert first in info.value.problems[0].message
    assert info.value.problems[-1].message == f"and {count - 20:,} more problems"
    assert len(looked_up) <= 20  # which is what took a minute


def test_a_key_that_is_not_unicode_is_an_error_with_its_place(write):
    """The fuzz test found a traceback: pydantic does not say which key of a mapping it cannot read."""
    path = write('{"data": {"tr\\ud800ain": "digits"}, "backbone": {"resnet20": {"weights": "none"}}}')
    with pytest.raises(ExperimentError, match=r"experiment\.yaml:1:11: the character U\+D800 is not allowed"):
        load(path)
