from dataclasses import replace

from reported import reported_split

from ftaug.interfaces.document import DataTable, Gallery
from ftaug.runs.run_report.augmentation_sheet import augmentation_sheet


def test_samples_of_each_class_and_the_effect_of_each_augmentation():
    section = augmentation_sheet(reported_split("colors"))
    _, *galleries, table, warnings = section.blocks
    assert [gallery.caption.partition(";")[0] for gallery in galleries] == ["blue", "green", "red"]
    assert {len(gallery.items) for gallery in galleries} == {1 + 3 + 2}
    assert [row[0] for row in table.rows] == ["rotate", "brightness", "torchvision.RandomInvert"]
    assert table.caption == "each augmentation alone, 64 times on 8 samples"
    assert warnings.text == "brightness changes none of these pictures: make it stronger, or leave it out"
    assert section.facts["warnings"] == [warnings.text]
    assert section.facts["effects"][0]["fired"] > 0


def test_texts():
    section = augmentation_sheet(reported_split("texts"))
    assert [type(block) for block in section.blocks[1:]] == [Gallery] * 3 + [DataTable]


def test_no_section_without_augmentation():
    run = reported_split("colors")
    experiment = replace(run.experiment, augment=(), mix=None)
    assert augmentation_sheet(replace(run, load_experiment=lambda: experiment)) is None
