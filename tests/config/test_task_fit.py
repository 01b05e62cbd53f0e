import pytest

from ftaug.config.dump import digest, to_yaml
from ftaug.config.registry import REGISTRIES
from ftaug.config.task_fit import DEFAULTS, default_loss, default_metrics, possible_tasks, with_task_defaults
from ftaug.errors import ExperimentError
from ftaug.experiment_file import import_components, load

CLASSES, LABELS, NUMBERS = "single_label", "multi_label", "regression"
TEXT = "data: {train: digits}\nbackbone: resnet20\n"


def resolved(folder, task, text="", *overrides):
    (folder / "a.yaml").write_text(TEXT + text)
    experiment = with_task_defaults(load(folder / "a.yaml", overrides), task)
    evaluate = experiment.evaluate
    return [metric.name for metric in evaluate.metrics], evaluate.best, default_metrics(experiment)


def test_the_task_chooses_where_the_file_is_silent(tmp_path):
    assert resolved(tmp_path, CLASSES) == (["accuracy"], "accuracy", True)
    assert resolved(tmp_path, LABELS) == (["average_precision", "f1"], "average_precision", True)
    assert resolved(tmp_path, NUMBERS) == (["rmse", "mae"], "rmse", True)
    assert resolved(tmp_path, LABELS, "evaluate: {every: 2 epochs}\n")[0] == ["average_precision", "f1"]


def test_the_loss_still_chooses_where_the_file_says_so(tmp_path):
    assert resolved(tmp_path, LABELS, "evaluate: {best: loss}\n") == (["average_precision", "f1"], "loss", True)


@pytest.mark.parametrize(
    ("text", "overrides", "metrics"),
    [
        ("evaluate: {metrics: [accuracy]}\n", (), ["accuracy"]),
        ("evaluate: {best: accuracy}\n", (), ["accuracy"]),
        ("evaluate: {best: auroc}\n", (), ["auroc"]),
        ("evaluate: {metrics: []}\n", (), []),
        ("evaluate: {metrics: [accuracy, f1], best: f1}\n", (), ["accuracy", "f1"]),
        ("", ("evaluate.metrics=[accuracy]",), ["accuracy"]),
        ("", ("evaluate={metrics: [accuracy]}",), ["accuracy"]),
        ("", ("evaluate.best=accuracy",), ["accuracy"]),
        ("", ("evaluate.metrics+=f1",), ["accuracy", "f1"]),
    ],
)
def test_what_the_file_says_is_never_replaced(tmp_path, text, overrides, metrics):
    found, _, chosen = resolved(tmp_path, LABELS, text, *overrides)
    assert (found, chosen) == (metrics, False)


def test_an_experiment_for_one_class_a_sample_is_what_it_was(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT)
    experiment = load(tmp_path / "a.yaml")
    assert with_task_defaults(experiment, CLASSES) is experiment
    assert digest(experiment) == digest(load(tmp_path / "a.yaml", ["evaluate.metrics=[accuracy]"]))


def test_the_resolved_file_gives_the_same_experiment(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT + "loss: binary_cross_entropy\n")
    experiment = with_task_defaults(load(tmp_path / "a.yaml"), LABELS)
    (tmp_path / "b.yaml").write_text(to_yaml(experiment))
    assert load(tmp_path / "b.yaml") == experiment


def table(folder, settings, rest="", modality="image"):
    """An experiment on a table that is not there: validation reads no data."""
    name = f"{modality}_table"
    text = f"modality: {modality}\ndata:\n  train: {{{name}: {{path: a.csv, {settings}}}}}\nbackbone: BACKBONE\n{rest}"
    (folder / "a.yaml").write_text(text.replace("BACKBONE", {"image": "resnet20", "text": "tiny_text"}[modality]))
    return folder / "a.yaml"


@pytest.mark.parametrize("modality", ["image", "text"])
@pytest.mark.parametrize(
    ("settings", "loss", "metrics"),
    [
        ("target: price", "mse", {"rmse": {}, "mae": {}}),
        ("target: [x, y]", "mse", {"rmse": {}, "mae": {}}),
        ("label: [red, blue]", "binary_cross_entropy", {"average_precision": {}, "f1": {"average": "micro"}}),
        ('labels_separator: "|"', "binary_cross_entropy", {"average_precision": {}, "f1": {"average": "micro"}}),
        ("label: kind", "cross_entropy", {"accuracy": {}}),
        ("classes: [a, b]", "cross_entropy", {"accuracy": {}}),
    ],
)
def test_a_table_says_its_task_and_with_it_the_loss_and_the_metrics(tmp_path, modality, settings, loss, metrics):
    experiment = load(table(tmp_path, settings, modality=modality))
    assert (experiment.loss.name, default_loss(experiment)) == (loss, True)
    assert [metric.name for metric in experiment.evaluate.metrics] == list(metrics)
    for metric in experiment.evaluate.metrics:
        assert metrics[metric.name].items() <= dict(metric.settings).items()
    assert experiment.evaluate.best == next(iter(metrics))
    (tmp_path / "b.yaml").write_text(to_yaml(experiment))
    assert digest(load(tmp_path / "b.yaml")) == digest(experiment)


def test_a_table_whose_cells_may_be_lists_gets_its_loss_with_the_data(tmp_path):
    experiment = with_task_defaults(load(table(tmp_path, "label: tags")), LABELS)
    assert experiment.loss.name == "binary_cross_entropy"
    kept = with_task_defaults(load(table(tmp_path, "label: tags", "loss: cross_entropy\n")), LABELS)
    assert kept.loss.name == "cross_entropy"


CANNOT_GO_TOGETHER = [
    ("target: price", "loss: cross_entropy", "5:7: loss: cross_entropy is for one class a sample, but data.train has"),
    (
        "target: price",
        "evaluate: {metrics: [mae, f1]}",
        "5:27: evaluate.metrics.1: f1 is for one class a sample or any",
    ),
    ("target: price", "evaluate: {best: f1}", "5:18: evaluate.metrics.0: f1 is for one class a sample or any number"),
    ("target: price", "mix: {one_of: [mixup, cutmix]}", "5:23: mix: cutmix is for one class a sample or any number of"),
    (
        "target: price",
        "distillation: {teacher: x, temperature: 2}",
        "5:15: distillation.temperature: softens probabilities",
    ),
    ("target: price", "objective: r_drop", "5:12: objective: r_drop is for one class a sample, but data.train has num"),
    ("label: [a, b]", "loss: focal", "5:7: loss: focal is for one class a sample, but data.train has any number of"),
    ("label: [a, b]", "loss: huber", "5:7: loss: huber is for numbers, but data.train has any number of classes a s"),
    ('labels_separator: ";"', "loss: ordinal", "5:7: loss: ordinal is for one class a sample, but data.train has any"),
    ("label: kind", "loss: huber", "5:7: loss: huber is for numbers, but data.train has one class a sample or any num"),
    ("target: price, label: kind", "", "3:11: image_table: target is for numbers, label for classes; leave one out"),
    ('label: [a, b], labels_separator: "|"', "", "3:11: image_table: with a list of columns for label, leave out"),
    ("target: [x, x]", "", "3:11: image_table: target must be a column, or a list of different ones"),
]


@pytest.mark.parametrize(("settings", "rest", "message"), CANNOT_GO_TOGETHER)
def test_what_cannot_go_with_the_task_is_found_in_the_file(tmp_path, settings, rest, message):
    with pytest.raises(ExperimentError) as error:
        load(table(tmp_path, settings, f"{rest}\n"))
    found = [str(problem).partition("a.yaml:")[2] for problem in error.value.problems]
    assert any(text.startswith(message) for text in found), found
    assert not any("cross_entropy is for" in text for text in found) or "cross_entropy" in rest


def test_the_samples_of_another_split_have_the_same_task(tmp_path):
    path = table(tmp_path, "target: price")
    with pytest.raises(ExperimentError, match=r"data.val has one class a sample, but data.train has numbers"):
        load(path, ["data.val=digits"])
    load(path, ["data.val={image_table: {path: b.csv, target: price}}"])


def test_a_default_is_no_mistake_beside_another_one(tmp_path):
    with pytest.raises(ExperimentError) as error:
        load(table(tmp_path, "target: price"), ["train.epochs=0"])
    assert len(error.value.problems) == 1


@pytest.mark.parametrize("modality", ["image", "text"])
def test_every_dataset_says_which_tasks_it_may_have(modality):
    import_components(modality)
    entries = REGISTRIES["dataset", modality]
    for name in entries:
        tasks = entries[name].facts["tasks"]
        assert callable(tasks) or set(tasks) <= set(DEFAULTS), name


def test_a_folder_has_one_class_a_sample(tmp_path):
    (tmp_path / "a.yaml").write_text("data: {train: {image_folder: {path: x}}}\nbackbone: resnet20\n")
    assert possible_tasks(load(tmp_path / "a.yaml").data.train) == ("single_label",)
    with pytest.raises(
        ExperimentError, match=r"loss: huber is for numbers, but data.train has one class a sample; use"
    ):
        load(tmp_path / "a.yaml", ["loss=huber"])
