from dataclasses import replace

import numpy as np
import pytest
from reported import opened, reported, reported_split

from ftaug.interfaces.document import HighlightedText, Picture
from ftaug.runs.run_report import neighbors


@pytest.fixture(autouse=True)
def _no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(neighbors, "MISTAKES", 2)


@pytest.mark.parametrize(("kind", "item"), [("colors", Picture), ("texts", HighlightedText)])
def test_each_mistake_is_followed_by_its_neighbors(kind, item):
    run = reported_split(kind)
    section = neighbors.neighbors(run)
    introduction, *galleries = section.blocks
    total = len(run.model.splits["train"])
    assert f"the most similar of all {total} training samples" in introduction.text
    assert [len(gallery.items) for gallery in galleries] == [5, 5]
    assert all(isinstance(each, item) for gallery in galleries for each in gallery.items)
    mistake = section.facts["mistakes"][0]
    first, second, *_ = galleries[0].items
    assert first.caption.startswith("labeled ")
    assert second.caption.startswith(f"training: {mistake['neighbors'][0]['label']} (")
    assert section.facts["searched"] == total
    if kind == "texts":  # validation are the training texts; a text is found unless it is of the same dataset
        assert galleries[0].caption.endswith("; a near duplicate is in training")


class Copies:
    """The same samples as another dataset."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getattr__(self, name):
        return getattr(self.samples, name)


def test_copies_with_another_label():
    model = opened("colors")
    train = model.splits["train"]
    copied = replace(train, purpose="val", targets=(train.targets + 1) % 3, samples=Copies(train.samples))
    run = reported(model, copied, np.eye(3)[train.targets] * 0.8 + 0.1)
    section = neighbors.neighbors(run)
    label = model.task.classes[train.targets[0]]  # all mistakes are equally bad: the first ones are shown
    assert section.blocks[1].caption.endswith(
        f"predicted {label} (0.900); a near duplicate is in training, labeled {label}"
    )
    assert section.facts["mistakes"][0]["neighbors"][0]["near_duplicate"]


def test_with_a_small_budget_samples_of_the_mistaken_classes(monkeypatch):
    run = reported_split("colors")
    first = int(run.records.targets[0])
    predictions = np.eye(3)[run.records.targets] * 0.8 + 0.1  # right, but for the first
    predictions[0] = np.roll(predictions[0], 1)
    run = reported(run.model, run.data, predictions)
    monkeypatch.setattr(neighbors, "forward_passes", lambda *_: 6)
    section = neighbors.neighbors(run)
    assert "6 of 21 training samples, those of the mistaken classes first (ftaug explain run" in section.blocks[0].text
    allowed = {run.task.classes[first], run.task.classes[(first + 1) % 3]}
    assert {each["label"] for each in section.facts["mistakes"][0]["neighbors"]} <= allowed
    assert neighbors.neighbors(run).facts == section.facts  # the same samples again


def test_without_mistakes_and_without_features():
    run = reported_split("colors")
    assert neighbors.neighbors(reported(run.model, run.data, np.eye(3)[run.records.targets])) is None
    average = replace(run.model, stages=())
    assert neighbors.neighbors(reported(average, run.data, run.records.predictions)) is None
