"""The journal of predictions: read back to the bit, only for the same inputs and model, and without a torn end."""

import numpy as np
import pytest
from processes import in_child

from ftaug.errors import RunFolderInUse, RunFolderTaken, StorageError
from ftaug.interfaces.data import Input
from ftaug.runs.prediction import Prediction
from ftaug.runs.prediction_journal import PredictionJournal

INPUTS = [Input(f"{number}\udcff.png", str, f"version {number}") for number in range(8)]


def predicted(source):
    number = INPUTS.index(source)
    if number % 3 == 1:
        return Prediction(source.name, error=f"is broken: {number}")
    values = np.random.default_rng(number).normal(size=(3, 4)).astype(np.float32)
    return Prediction(source.name, *values)


def journal(folder, **identity):
    return PredictionJournal(folder / "a.csv", {"weights": "x", **identity}, 2)


def use(folder, inputs=INPUTS, until=None, **identity):
    """Predict inputs; return how many were known, and all predictions, each with those that it made anew."""
    opened = journal(folder, **identity)
    done, rest = opened.open(iter(inputs))
    new = []

    def predictions():
        for each in rest:
            new.append(each)
            yield predicted(each)

    results = [*opened.read(done)]
    for each in opened.record(predictions()):
        results.append(each)
        if len(results) == until:
            break
    opened.close()
    return done, results, new


def assert_equal(one, other):
    assert (one.name, one.error) == (other.name, other.error)
    for name in ("output", "logits", "features"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None)
        assert first is None or (first.dtype == second.dtype and first.tobytes() == second.tobytes())


def test_whole_batches_are_known_to_the_next_start(tmp_path):
    assert use(tmp_path, until=3)[0] == 0
    done, results, new = use(tmp_path)
    assert done == 4 and new == INPUTS[4:]
    for result, source in zip(results, INPUTS, strict=True):
        assert_equal(result, predicted(source))


@pytest.mark.parametrize("cut", [1, 5, 13, 100])
def test_a_torn_record_is_predicted_again(tmp_path, cut):
    use(tmp_path)
    file = journal(tmp_path).folder / "journal"
    file.write_bytes(file.read_bytes()[:-cut])
    done, results, new = use(tmp_path)
    assert done == 6 and new == INPUTS[6:] and len(results) == 8


def test_a_damaged_record_ends_what_is_known(tmp_path):
    use(tmp_path)
    file = journal(tmp_path).folder / "journal"
    content = bytearray(file.read_bytes())
    content[content.index(b"version 2") - 40] ^= 1
    file.write_bytes(content)
    assert use(tmp_path)[0] == 2
    assert use(tmp_path)[0] == 8


def test_other_inputs_are_predicted_from_where_they_differ(tmp_path):
    use(tmp_path)
    changed = [*INPUTS[:5], INPUTS[5]._replace(version="another"), *INPUTS[6:]]
    opened = journal(tmp_path)
    done, rest = opened.open(iter(changed))
    assert done == 4 and [*rest] == changed[4:]
    opened.close()
    assert use(tmp_path, INPUTS[:3])[0] == 2


def test_predictions_of_another_model_are_deleted(tmp_path):
    use(tmp_path)
    assert use(tmp_path, weights="y")[0] == 0
    assert use(tmp_path, weights="x")[0] == 0


def test_a_second_process_is_refused(tmp_path):
    opened = journal(tmp_path)
    opened.open(iter(INPUTS))
    with pytest.raises(RunFolderInUse, match=r"\.a\.csv\.partial is in use by process .*; wait$"):
        journal(tmp_path).open(iter(INPUTS))
    opened.close()


def test_a_journal_without_predictions_is_deleted_at_once_and_another_by_delete(tmp_path):
    opened = journal(tmp_path)
    opened.open(iter(INPUTS))
    opened.close()
    assert [*tmp_path.iterdir()] == []
    use(tmp_path, until=1)
    assert [each.name for each in tmp_path.iterdir()] == [".a.csv.partial"]
    journal(tmp_path).delete()
    assert [*tmp_path.iterdir()] == []


def test_temporary_files_of_a_killed_process_are_deleted(tmp_path):
    (tmp_path / ".tmp-a.csv-123").touch()
    (tmp_path / ".tmp-b.csv-123").touch()
    use(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [".a.csv.partial", ".tmp-b.csv-123"]


def test_folders_and_links_are_refused(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(StorageError, match="it is a folder; name a file"):
        journal(tmp_path).open(iter(INPUTS))
    (tmp_path / "a.csv").rmdir()
    (tmp_path / ".a.csv.partial").symlink_to(tmp_path)
    with pytest.raises(RunFolderTaken, match="is not a regular folder"):
        journal(tmp_path).open(iter(INPUTS))
    assert in_child(lambda: use(tmp_path / "missing")) == 74
