"""Predictions for a file: stored until it is complete, and continued by the same model on the same inputs."""

import pytest

from ftaug.errors import ExperimentError, MissingInput
from ftaug.interfaces.data import Input
from ftaug.runs import resumed_prediction
from ftaug.runs.open_run import open_run
from ftaug.runs.penultimate_features import NoFeatures
from ftaug.runs.resumed_prediction import feature_model, predictions_for


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A trained model, with batches of four."""
    from tiny_run import write_files

    from ftaug.cli import run

    folder = tmp_path_factory.mktemp("run")
    write_files(folder)
    options = ["--no-report", "--run-dir", str(folder / "run"), "evaluate.batch_size=4", "train.epochs=1"]
    assert run(["train", str(folder / "tiny.yaml"), *options]) == 0
    return open_run(folder / "run")


def inputs(opened):
    samples = opened.splits["train"].samples
    return (Input(str(number), lambda number=number: samples.read(number)) for number in range(11))


def stopped_after(opened, output, count, features=None):
    with pytest.raises(KeyboardInterrupt), predictions_for(opened, inputs(opened), features, output) as predictions:
        for number, _ in enumerate(predictions, 1):
            if number == count:
                raise KeyboardInterrupt


def test_the_second_start_predicts_only_the_others(opened, tmp_path, capsys):
    features = feature_model(opened)
    stopped_after(opened, tmp_path / "a.csv", 6, features)
    with predictions_for(opened, inputs(opened), features, tmp_path / "a.csv") as predictions:
        results = [*predictions]
    assert capsys.readouterr().err == f"{tmp_path / 'a.csv'}: continues after 8 predictions\n"
    assert [*tmp_path.iterdir()] == [], "the journal is deleted at the end"
    with predictions_for(opened, inputs(opened), features, None) as predictions:
        for result, expected in zip(results, predictions, strict=True):
            assert result.name == expected.name
            for name in ("output", "logits", "features"):
                assert getattr(result, name).tobytes() == getattr(expected, name).tobytes()


def test_predictions_without_features_are_not_continued_with_them(opened, tmp_path, capsys):
    stopped_after(opened, tmp_path / "a.csv", 6)
    stopped_after(opened, tmp_path / "a.csv", 6, feature_model(opened))
    assert "continues" not in capsys.readouterr().err


def test_wrong_names_leave_no_journal(opened, tmp_path):
    def missing():
        raise MissingInput("no such file")
        yield

    with pytest.raises(MissingInput), predictions_for(opened, missing(), None, tmp_path / "a.csv"):
        pass
    assert [*tmp_path.iterdir()] == []


def test_a_network_without_features_is_an_error(opened, tmp_path, monkeypatch):
    def fail(*arguments):
        raise NoFeatures("has no output layer")

    monkeypatch.setattr(resumed_prediction.FeatureModel, "of", fail)
    with pytest.raises(ExperimentError, match=r"^--features: the network of .*run has no output layer; leave it out"):
        feature_model(opened)
    monkeypatch.setattr(resumed_prediction, "predict", fail)
    with (
        pytest.raises(ExperimentError, match="--features"),
        predictions_for(opened, inputs(opened), None, tmp_path / "a.csv") as predictions,
    ):
        next(predictions)
    assert [*tmp_path.iterdir()] == []


def test_the_number_of_predictions_is_said_every_half_minute(opened, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(resumed_prediction, "SECONDS_BETWEEN_LINES", 0)
    with predictions_for(opened, inputs(opened), None, tmp_path / "a.csv") as predictions:
        assert len([*predictions]) == 11
    assert capsys.readouterr().err.splitlines()[-1] == "11 inputs predicted"
