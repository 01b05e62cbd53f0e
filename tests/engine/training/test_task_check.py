"""What fits a task: each component that does not is told with its line and with those that do."""

import json

import pytest

from ftaug.config.registry import REGISTRIES
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.task_check import check
from ftaug.errors import ExperimentError
from ftaug.experiment_file import MODALITIES, import_components, load
from ftaug.interfaces.data import Task

LABELS, NUMBERS = Task(("a", "b"), multi_label=True), Task(("a",), regression=True)
EXPERIMENT = """data: {train: digits, sampler: square_root}
backbone: {resnet20: {weights: none}}
augment: [augmix]
loss: cross_entropy
objective: jensen_shannon
evaluate: {metrics: [accuracy, quadratic_kappa, f1]}
"""


@pytest.fixture(autouse=True)
def own_components(monkeypatch):
    """Only components of ftaug: those that other tests have registered would be suggested too."""
    for modality in MODALITIES:
        import_components(modality)
    for registry in REGISTRIES.values():
        own = {
            name: entry for name, entry in registry._entries.items() if entry.function.__module__.startswith("ftaug.")
        }
        monkeypatch.setattr(registry, "_entries", own)


def experiment(folder, text=EXPERIMENT, *overrides):
    (folder / "a.yaml").write_text(text)
    return load(folder / "a.yaml", overrides)


def problems(folder, task, *args):
    with pytest.raises(ExperimentError) as caught:
        check(experiment(folder, *args), task)
    return [str(problem).rpartition("a.yaml:")[2] for problem in caught.value.problems]


def test_everything_fits_one_class_a_sample(tmp_path):
    check(experiment(tmp_path), Task(("a", "b")))


def test_several_labels_need_sigmoids_and_have_no_order_and_no_sampler(tmp_path):
    assert problems(tmp_path, LABELS) == [
        "1:32: data.sampler: square_root is for one class a sample, but data.train has any number of classes a sample; "
        "leave it out",
        "4:7: loss: cross_entropy is for one class a sample, but data.train has any number of classes a sample; "
        "use binary_cross_entropy or binary_focal",
        "5:12: objective: jensen_shannon is for one class a sample, but data.train has any number of classes a sample; "
        "leave it out",
        "6:32: evaluate.metrics.1: quadratic_kappa is for one class a sample, but data.train has any number of classes "
        "a sample; use accuracy, auroc, average_precision, balanced_accuracy, ece, f1, precision, recall "
        "or top_k",
    ]


def test_a_temperature_has_no_effect_on_numbers(tmp_path):
    data = "data: {train: {image_table: {path: x.csv, target: a}}}\n"
    text = f"{data}backbone: resnet20\nloss: huber\nevaluate: {{metrics: [mae]}}\ndistillation: {{teacher: x}}\n"
    check(experiment(tmp_path, text), NUMBERS)
    with pytest.raises(ExperimentError) as caught:
        experiment(tmp_path, text.replace("teacher: x}", "teacher: x, temperature: 2}"))
    (found,) = [str(problem).rpartition("a.yaml:")[2] for problem in caught.value.problems]
    assert found == "5:15: distillation.temperature: softens probabilities, but data.train has numbers; leave it out"


def test_lists_in_the_cells_choose_the_loss_when_they_are_read(tmp_path):
    rows = [{"text": f"text {n}", "label": ["red", "blue"][: n % 3]} for n in range(12)]
    (tmp_path / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    text = "modality: text\ndata: {train: {text_table: {path: t.jsonl}}, val: null}\n"
    loaded = experiment(tmp_path, f"{text}backbone: {{tiny_text: {{weights: none, max_length: 8}}}}\n")
    state = build(loaded, "cpu", load_splits(loaded.data, 0), pretrained=False)
    assert state.experiment.loss.name == "binary_cross_entropy"
    assert [metric.name for metric in state.experiment.evaluate.metrics] == ["average_precision", "f1"]
    with pytest.raises(ExperimentError, match="loss: focal is for one class a sample"):
        build(experiment(tmp_path, f"{text}backbone: tiny_text\nloss: focal\n"), "cpu", state.splits, pretrained=False)
