"""What breaks training is a problem, and what `data.bad_samples` leaves out is not."""

import pytest
from doctor_data import write_pictures

from ftaug.errors import BadData
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import open_data


def diagnosis(config, *overrides):
    return examine(open_data(config, overrides, trust_plugins=False), labels=False)


def test_an_unreadable_sample_is_a_problem_unless_it_is_left_out(tmp_path):
    config = write_pictures(tmp_path)
    bad = tmp_path / "train" / "cat" / "3.png"
    bad.write_bytes(b"hello")
    result = diagnosis(config)
    assert (result.findings[0].check, result.findings[0].level) == ("unreadable", "problem")
    assert result.findings[0].examples[0].startswith(f"{bad}: not a picture")
    with pytest.raises(BadData, match=r"train: cannot be read \(1 sample\); fix or delete them") as error:
        result.check()
    assert error.value.result_printed
    skipped = diagnosis(config, "data.bad_samples={skip: 1}")
    assert skipped.findings[0].level == "caution"
    skipped.check()
