"""Class folders: what is read, in which order, what is ignored and what is refused; the index kept between runs."""

import os
import pickle
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ftaug.data.folders import index, scan
from ftaug.errors import BadData, MissingInput, StorageError
from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.index import PICTURES


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def fill(root: Path, *files: str) -> Path:
    for number, name in enumerate(files or ("cat/1.jpg", "cat/2.jpg", "dog/1.png")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * (number + 1))
    return root


def relative(root: Path) -> list[str]:
    samples = image_folder("train", path=root)
    return [os.path.relpath(samples.name(i), root) for i in range(len(samples))]


def test_classes_targets_names_and_bytes(tmp_path):
    samples = image_folder("train", path=fill(tmp_path))
    assert samples.task.classes == ("cat", "dog") and not samples.task.multi_label
    assert samples.targets.dtype == np.int64 and samples.targets.tolist() == [0, 0, 1]
    assert [samples.read(i) for i in range(3)] == [b"x", b"xx", b"xxx"]
    assert samples.name(2) == str(tmp_path / "dog" / "1.png")
    assert samples.groups is None and samples.notes == ()


def test_classes_with_names_of_digits_are_texts_in_numeric_order(tmp_path):
    assert image_folder("train", path=fill(tmp_path, "10/a.jpg", "9/a.jpg", "010/a.jpg")).task.classes == (
        "9",
        "010",
        "10",
    )


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "jfif", "JPE", "Png", "webp", "bmp", "tif", "TIFF", "gif"])
def test_suffixes_in_any_case(tmp_path, suffix):
    assert len(relative(fill(tmp_path, f"a/1.{suffix}", "b/1.jpg"))) == 2


def test_deeper_pictures_belong_to_their_class(tmp_path):
    assert relative(fill(tmp_path, "a/x/y/1.jpg", "a/2.jpg", "a/x/1.jpg", "b/1.jpg")) == [
        *("a/2.jpg", "a/x/1.jpg", "a/x/y/1.jpg", "b/1.jpg"),
    ]


def test_hidden_and_system_files_and_other_kinds_are_ignored_and_counted(tmp_path):
    fill(tmp_path, "a/1.jpg", "b/1.jpg", ".ipynb_checkpoints/1.jpg", "__MACOSX/a/._1.jpg", "a/.DS_Store", "a/Thumbs.db")
    fill(tmp_path, "a/.hidden.jpg", "a/desktop.ini", "a/notes.txt", "b/data.JSON", "b/README", "loose.jpg", "table.csv")
    samples = image_folder("train", path=tmp_path)
    assert len(samples) == 2 and samples.task.classes == ("a", "b")
    assert samples.notes == (
        "6 files hidden or of the system ignored",
        "4 files of another kind ignored: without an ending (1), .csv (1), .json (1), .txt (1)",
        "1 picture beside the class folders ignored",
    )


ODD_NAMES = [
    b"with space.jpg",
    b"new\nline.jpg",
    b"quote'\".jpg",
    "emoji\N{CAT FACE}.jpg".encode(),
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}.jpg".encode(),
    "cafe\N{COMBINING ACUTE ACCENT}.jpg".encode(),
    b"\xff\xfe invalid.jpg",
    b"-n.jpg",
    b"x" * 251 + b".jpg",
]


def make_odd_names(root: Path) -> None:
    fill(root)
    for name in ODD_NAMES:
        Path(os.fsdecode(os.fsencode(root) + b"/cat/" + name)).write_bytes(name)


def test_odd_file_names_are_read(tmp_path):
    make_odd_names(tmp_path)
    samples = image_folder("train", path=tmp_path)
    found = {samples.read(i) for i in range(len(samples))}
    assert set(ODD_NAMES) <= found and len(samples) == 3 + len(ODD_NAMES)
    assert os.fsencode(samples.name(2)).startswith(os.fsencode(tmp_path))


def test_the_order_is_the_same_in_every_locale(tmp_path):
    make_odd_names(tmp_path)
    program = (
        "import os, sys; from pathlib import Path; from ftaug.image.datasets.folder import image_folder\n"
        "s = image_folder('train', path=Path(sys.argv[1]))\n"
        "sys.stdout.buffer.write(b'|'.join(os.fsencode(s.name(i)) for i in range(len(s))) + s.fingerprint.encode())"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", program, tmp_path], env={**os.environ, "LC_ALL": it}, capture_output=True)
        for it in ("C", "C.UTF-8", "POSIX")
    ]
    assert outputs[0].stdout and len({output.stdout for output in outputs}) == 1
    names = outputs[0].stdout.split(b"|")[:-1]
    assert names == sorted(names)


def test_links_that_stay_inside_count_once_and_loops_end(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat" / "loop").symlink_to(tmp_path)
    (tmp_path / "cat" / "dogs").symlink_to("../dog")
    (tmp_path / "cat" / "3.jpg").symlink_to("1.jpg")
    samples = image_folder("train", path=tmp_path)
    assert np.bincount(samples.targets).tolist() == [3, 1]
    assert samples.notes == ("2 links to a folder inside ignored",)


def test_links_out_of_the_folder_need_the_setting(tmp_path):
    pool = fill(tmp_path / "pool", "deep/1.jpg", "2.jpg")
    root = fill(tmp_path / "root")
    (pool / "back").symlink_to(pool)
    (root / "dog" / "pool").symlink_to(pool)
    with pytest.raises(BadData, match=r"dog/pool is a link out of the folder.*outside_links: true"):
        image_folder("train", path=root)
    samples = image_folder("train", path=root, outside_links=True)
    assert np.bincount(samples.targets).tolist() == [2, 3]
    assert samples.notes == ("1 link to a folder already read ignored",)


def test_a_link_to_the_folder_itself_is_fine(tmp_path):
    fill(tmp_path / "root")
    (tmp_path / "link").symlink_to("root")
    samples = image_folder("train", path=tmp_path / "link")
    assert samples.name(0) == str(tmp_path / "link" / "cat" / "1.jpg") and samples.read(0) == b"x"


def test_a_dangling_link_is_named(tmp_path):
    (fill(tmp_path) / "cat" / "gone.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(BadData, match=r"cat/gone\.jpg is a link to .*nowhere\.jpg, which does not exist"):
        image_folder("train", path=tmp_path)


def test_pipes_and_sockets_are_named_and_never_opened(tmp_path, monkeypatch):
    os.mkfifo(fill(tmp_path / "a") / "cat" / "pipe.jpg")
    with pytest.raises(BadData, match=r"cat/pipe\.jpg is a pipe"):
        image_folder("train", path=tmp_path / "a")
    fill(tmp_path / "b")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path / "b" / "cat")
        listener.bind("s.jpg")
    with pytest.raises(BadData, match=r"cat/s\.jpg is a socket"):
        image_folder("train", path=tmp_path / "b")


def test_a_missing_folder_is_told_with_the_near_name(tmp_path):
    fill(tmp_path / "photos" / "train")
    with pytest.raises(MissingInput, match=r"has no folder 'phtos'; did you mean 'photos'\?"):
        image_folder("train", path=tmp_path / "phtos" / "train")
    with pytest.raises(MissingInput, match="is a file"):
        image_folder("train", path=tmp_path / "photos" / "train" / "cat" / "1.jpg")


def test_folders_from_which_nothing_can_be_learnt_are_refused(tmp_path):
    (tmp_path / "nothing").mkdir()
    fill(tmp_path / "flat", "1.jpg", "2.jpg")
    fill(tmp_path / "hollow", "cat/1.jpg", "dog/1.jpg", "emu/1.heic", "emu/2.HEIC")
    fill(tmp_path / "phone", "1.heic")
    for name, text in {
        "nothing": "no class folders with pictures",
        "flat": "2 pictures that are in no class folder",
        "hollow": "classes without a picture: 'emu'; of the classes 'cat', 'dog', 'emu'; "
        "2 files of another kind ignored: .heic .2.; supported: .jpg, .jpeg, .jfif",
        "phone": "1 file of another kind ignored: .heic .1.",
    }.items():
        with pytest.raises(BadData, match=text):
            image_folder("train", path=tmp_path / name)


@pytest.mark.parametrize("twins", [("Cat", "cat"), ("caf\u00e9", "cafe\u0301")])
def test_case_twins_are_refused(tmp_path, twins):
    fill(tmp_path, f"{twins[0]}/1.jpg", f"{twins[1]}/1.jpg", "dog/1.jpg")
    with pytest.raises(BadData, match="differ only in case, spacing or encoding"):
        image_folder("train", path=tmp_path)


def test_the_parent_of_the_splits_is_told_with_the_lines_to_write(tmp_path):
    fill(tmp_path, "train/cat/1.jpg", "val/cat/1.jpg", "test/dog/1.jpg")
    with pytest.raises(BadData, match=r"val: \{image_folder: \{path: .*/val\}\}"):
        image_folder("train", path=tmp_path)


def test_the_fingerprint_follows_names_sizes_and_classes_but_not_the_place(tmp_path):
    def fingerprint(root: Path) -> str:
        return image_folder("train", path=root).fingerprint

    first = fingerprint(fill(tmp_path / "1"))
    assert fingerprint(fill(tmp_path / "2")) == first
    (tmp_path / "2" / "cat" / "1.jpg").write_bytes(b"longer")
    renamed = fill(tmp_path / "3", "cat/1.jpg", "cat/3.jpg", "dog/1.png")
    other_class = fill(tmp_path / "4", "cat/1.jpg", "cat/2.jpg", "dot/1.png")
    assert len({first, fingerprint(tmp_path / "2"), fingerprint(renamed), fingerprint(other_class)}) == 4


def test_a_file_that_vanished_or_may_not_be_read_is_named(tmp_path, monkeypatch):
    samples = image_folder("train", path=fill(tmp_path))
    (tmp_path / "cat" / "1.jpg").unlink()
    with pytest.raises(MissingInput, match=r"cat/1\.jpg: .*deleted"):
        samples.read(0)

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(MissingInput, match=r"cat/2\.jpg: no permission"):
        samples.read(1)


def test_a_failing_network_file_system_is_tried_again_then_reported(tmp_path, monkeypatch):
    samples = image_folder("train", path=fill(tmp_path))
    tries = []
    working = Path.read_bytes

    def fails(times: int):
        def read(path: Path) -> bytes:
            tries.append(path)
            if len(tries) <= times:
                raise OSError(116, "Stale file handle")
            return working(path)

        return read

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(Path, "read_bytes", fails(3))
    assert samples.read(0) == b"x" and len(tries) == 4
    tries.clear()
    monkeypatch.setattr(Path, "read_bytes", fails(4))
    with pytest.raises(StorageError, match=r"cat/1\.jpg: cannot read: Stale file handle"):
        samples.read(0)


@pytest.mark.parametrize(
    "error, becomes", [(PermissionError(13, "no"), MissingInput), (OSError(5, "bad"), StorageError)]
)
def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch, error, becomes):
    fill(tmp_path)
    working = os.scandir

    def failing(path):
        if path == os.fsencode(tmp_path / "dog"):
            error.filename = path
            raise error
        return working(path)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(becomes, match=f"{tmp_path}/dog"):
        image_folder("train", path=tmp_path)


def test_samples_pickle_small(tmp_path):
    samples = image_folder("train", path=fill(tmp_path, *(f"{c}/{i:04}.jpg" for c in "ab" for i in range(500))))
    pickled = pickle.dumps(samples)
    assert len(pickled) < 1000 * (11 + 8 + 8 + 8) + 2000
    again = pickle.loads(pickled)
    assert again.name(777) == samples.name(777) and np.array_equal(again.targets, samples.targets)


class TestCache:
    """The index of a large folder, kept between runs."""

    @pytest.fixture
    def large(self, tmp_path, monkeypatch):
        monkeypatch.setattr(index, "WORTH_KEEPING", 3)
        fill(tmp_path, "cat/1.jpg", "cat/2.jpg", "dog/1.png", "dog/deep/2.png", "dog/a.txt")
        for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
            os.utime(folder, (1_600_000_000, 1_600_000_000))
        return tmp_path

    @pytest.fixture
    def walks(self, monkeypatch):
        counted = []
        monkeypatch.setattr(index, "scan", lambda *a, **k: counted.append(a) or scan.scan(*a, **k))
        return counted

    def test_the_second_start_walks_nothing_and_gives_the_same(self, large, walks):
        first, second = (image_folder("train", path=large) for _ in range(2))
        assert len(walks) == 1
        assert [first.name(i) for i in range(4)] == [second.name(i) for i in range(4)]
        assert np.array_equal(first.targets, second.targets)
        assert (first.fingerprint, first.notes, first.task) == (second.fingerprint, second.notes, second.task)

    @pytest.mark.parametrize("change", ["add", "remove", "rename", "deep", "new class"])
    def test_a_changed_folder_is_walked_again(self, large, walks, change):
        image_folder("train", path=large)
        {
            "add": lambda: (large / "cat" / "3.jpg").write_bytes(b"x"),
            "remove": lambda: (large / "cat" / "1.jpg").unlink(),
            "rename": lambda: (large / "cat" / "1.jpg").rename(large / "cat" / "9.jpg"),
            "deep": lambda: (large / "dog" / "deep" / "3.png").write_bytes(b"x"),
            "new class": lambda: fill(large, "emu/1.jpg"),
        }[change]()
        samples = image_folder("train", path=large)
        assert len(walks) == 2
        assert samples.fingerprint == scan.scan(large, PICTURES).fingerprint

    @pytest.mark.parametrize("damage", [b"", b"garbage", "half", "flip", "other version"])
    def test_a_damaged_index_is_made_again(self, large, walks, own_cache, damage, monkeypatch):
        good = image_folder("train", path=large).fingerprint
        (file,) = own_cache.rglob("*.npz")
        content = bytearray(file.read_bytes())
        if damage == "other version":
            monkeypatch.setattr(index, "_VERSION", index._VERSION + 1)
        elif damage == "half":
            file.write_bytes(content[: len(content) // 2])
        elif damage == "flip":
            content[content.index(b"cat/1.jpg")] ^= 1
            file.write_bytes(content)
        else:
            file.write_bytes(damage)
        assert image_folder("train", path=large).fingerprint == good
        assert len(walks) == 2
        image_folder("train", path=large)
        assert len(walks) == 2

    def test_a_folder_that_has_just_changed_is_not_kept(self, large, walks):
        os.utime(large / "cat")
        image_folder("train", path=large)
        image_folder("train", path=large)
        assert len(walks) == 2

    def test_a_cache_that_cannot_be_written_is_done_without(self, large, walks, monkeypatch, tmp_path_factory):
        blocked = tmp_path_factory.mktemp("blocked") / "file"
        blocked.write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
        assert len(image_folder("train", path=large)) == 4

    def test_small_folders_are_not_kept(self, large, own_cache, monkeypatch):
        monkeypatch.setattr(index, "WORTH_KEEPING", 5)
        image_folder("train", path=large)
        assert not list(own_cache.rglob("*"))


def test_a_long_walk_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scan, "_PROGRESS_SECONDS", 0.0)
    image_folder("train", path=fill(tmp_path))
    output = capsys.readouterr()
    assert output.out == "" and "2 pictures so far" in output.err


def test_folders_beside_the_splits_are_no_classes(tmp_path):
    fill(tmp_path, "train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/1.jpg", "extra/cat/1.jpg")
    said = r"holds the splits 'train', 'valid' beside 'extra', not classes; write one line for each: train: .*, val: "
    with pytest.raises(BadData, match=said):
        image_folder("train", path=tmp_path)
    fill(tmp_path / "held", "train/cat/1.jpg", "train/dog/1.jpg", "holdout/cat/1.jpg", "holdout/dog/1.jpg")
    with pytest.raises(BadData, match="holds the splits 'train' beside 'holdout', not classes"):
        image_folder("train", path=tmp_path / "held")
    fill(tmp_path / "toys", "train/steam/1.jpg", "plane/1.jpg")
    assert image_folder("train", path=tmp_path / "toys").task.classes == ("plane", "train")
