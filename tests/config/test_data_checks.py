"""Splits, datasets and the order of samples contradict each other: errors with a place."""

import pytest


def test_splits_must_leave_samples_to_train_on(problems):
    (line,) = problems("data: {train: digits, val: {split: 60%}, test: {split: 0.4}}\nbackbone: resnet18\n")
    assert line.startswith("f.yaml:1:28: data.val and data.test together leave no training samples")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("val: null, confirmation: 50%", "48: data.confirmation is taken from the validation samples, but data.val is"),
        ("confirmation: 100%", "37: data.confirmation must be less than 1, or no validation samples remain; got 1"),
    ],
)
def test_a_confirmation_is_a_part_of_validation(problems, data, message):
    (line,) = problems(f"data: {{train: digits, {data}}}\nbackbone: resnet18\n")
    assert line.partition("f.yaml:1:")[2].startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("parts: 3", "30: data.parts must be a power of two: 1, 2, 4 …; got 3"),
        ("batch_size: 4, parts: 8", "45: data.parts must be at most 4: a step has 4 samples; got 8"),
        ("val: {fold: 1, of: 1}", "42: data.val.of must be 2 or more; got 1"),
        ("val: {fold: 6, of: 5}", "35: data.val.fold must be from 1 to 5; got 6"),
        (
            "order: shards, sampler: balanced",
            "30: data.order cannot be combined with data.sampler, which has its own order; leave one out",
        ),
    ],
)
def test_data(problems, data, message):
    (line,) = problems(f"data: {{train: digits, {data}}}\nbackbone: resnet18\n")
    assert line.partition("f.yaml:1:")[2].startswith(message)


def test_a_dataset_without_the_split_column_would_read_the_rows_of_another(problems):
    (line,) = problems("""\
data:
  train: {image_table: {path: t.csv, image: file, label: kind, split_column: part}}
  test: {image_table: {path: t.csv, image: file, label: kind}}
backbone: resnet18
""")
    assert "data.test reads all rows of the table, including those of data.train; set split_column: part here" in line
