"""The pictures that a command line names: what folders hold, and what of it is left out."""

import io

import numpy as np
import pytest
from PIL import Image

from ftaug.errors import MissingInput
from ftaug.image.io.decode import probe
from ftaug.image.predict_inputs import inputs

READ = ".jpg, .jpeg, .jfif, .jpe, .png, .webp, .bmp, .tif, .tiff or .gif"


def test_what_a_folder_holds_beside_pictures_is_counted_by_suffix(tmp_path, capsys):
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(file, "JPEG")
    for name in ("a.jfif", "b.JPE", "c.jpg", "in/d.jpeg", "e.heic", "in/f.HEIC", "g.svg", "h", ".i.jpg", ".j/k.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(file.getvalue())
    (tmp_path / "link").symlink_to(tmp_path / "in")
    found = list(inputs([str(tmp_path)], None))
    assert [one.name for one in found] == [str(tmp_path / n) for n in ("a.jfif", "b.JPE", "c.jpg", "in/d.jpeg")]
    assert {probe(one.read()) for one in found} == {(4, 6)}
    assert capsys.readouterr().err == (
        f"{tmp_path}: ignored: .heic (2), .svg (1), hidden (2), links to folders (1), without an ending (1); "
        f"supported: {READ}\n"
    )
    assert len(list(inputs([str(tmp_path / "a.jfif"), str(tmp_path / "in" / "d.jpeg")], None))) == 2
    assert capsys.readouterr().err == ""


def test_all_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "1.heic").write_bytes(b"x")
    (tmp_path / "good.jpg").write_bytes(b"x")
    with pytest.raises(MissingInput) as caught:
        next(inputs(["no.jpg", "phone", "good.jpg", "s3://photos/1.jpg"], None))
    assert str(caught.value).splitlines() == [
        "no.jpg: no such file or folder",
        f"phone: holds no {READ}; it holds .heic (1)",
        "s3://photos/1.jpg: no such file or folder; files at addresses are read by data sets of experiments only",
    ]
