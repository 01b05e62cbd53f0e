from predictions import single_label
from reported_runs import reported

from ftaug.errors import MissingInput
from ftaug.interfaces.document import Section
from ftaug.runs.run_report.collect import AFTER_TRAINING, SECTIONS, report_of
from ftaug.runs.run_report.mistakes import mistakes_without_explanations


def first(run):
    return Section("first", "First", [], {"split": run.split})


def nothing(run):
    return None


def gone_data(run):
    raise MissingInput("photos: does not exist")


def test_sections_keep_their_order_and_failed_ones_are_named():
    run = reported(single_label(), "runs/cats")
    report = report_of(run, (first, nothing, gone_data))
    assert [section.key for section in report.sections] == ["first", "left_out"]
    assert report.sections[1].blocks[0].text == "gone data: photos: does not exist"
    assert report.title == "cats" and report.subtitle == "runs/cats: step-0000001 on the test split"
    assert report.verdict.startswith("accuracy 0.")
    assert report.facts["run"] == "runs/cats"


def test_the_report_of_a_training_is_a_part_of_the_whole_one():
    assert set(AFTER_TRAINING) - set(SECTIONS) == {mistakes_without_explanations}
