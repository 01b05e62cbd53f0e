import gzip
import os

import numpy as np
import pytest
from archives import write_tar, write_zip

from ftaug.data.folders.scan import Kind, scan
from ftaug.data.shards import archives
from ftaug.data.shards.archives import scan_archives
from ftaug.errors import BadData

PICTURES = Kind("picture", (b".jpg", b".png"))
FOLDERS = {"b/1.jpg": b"1", "a/x/3.jpg": b"333", "a/2.jpg": b"22", "a-b/4.png": b"4444", "a/x-y/5.jpg": b"5"}


def named(scanned):
    return [os.fsdecode(scanned.names[i]) for i in range(len(scanned.names))]


def read(*files, root="", labels=None):
    return scan_archives(files, PICTURES, root, labels)


def test_class_folders_are_in_the_order_of_a_scanned_folder(tmp_path):
    for name, content in FOLDERS.items():
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(content)
    folder = scan(tmp_path / "d", PICTURES)
    expected = [os.fsdecode(folder.paths[i]) for i in range(len(folder.paths))]
    halves = [*FOLDERS][:2], [*FOLDERS][2:]
    files = [write_tar(tmp_path / f"{n}.tar", {k: FOLDERS[k] for k in keys}) for n, keys in enumerate(halves)]
    files[1] = write_zip(tmp_path / "1.zip", {k: FOLDERS[k] for k in halves[1]})
    scanned = read(*files)
    assert named(scanned) == expected == ["a/2.jpg", "a/x/3.jpg", "a/x-y/5.jpg", "a-b/4.png", "b/1.jpg"]
    assert [scanned.extents.read(i) for i in range(5)] == [FOLDERS[name] for name in expected]
    assert scanned.extents.shard_of.tolist() == [1, 0, 1, 1, 0] and scanned.label_source == "folder"


def test_pairs_are_in_the_order_of_the_archives_and_their_members(tmp_path):
    first = write_tar(
        tmp_path / "0.tar",
        {"9.cls": b"x", "9.jpg": b"9", "1.jpg": b"1", "5.png": b"5", "1.cls": b"yy", "5.cls": b"z", "5.txt": b""},
    )
    second = write_tar(tmp_path / "1.tar", {"1.jpg": b"0", "1.cls": b"x"})  # names are unique within an archive
    scanned = read(first, second)
    assert named(scanned) == ["9.jpg", "1.jpg", "5.png", "1.jpg"] and scanned.label_source == "cls"
    labels = zip(scanned.extents.shard_of, scanned.label_offsets, scanned.label_sizes, strict=True)
    assert [scanned.extents.shards[s].read(int(at), int(size)) for s, at, size in labels] == [b"x", b"yy", b"z", b"x"]
    assert scanned.notes == ("1 file of another kind ignored: .txt (1)",)


def test_a_root_selects_a_folder_and_other_files_are_counted(tmp_path):
    members = {"p/train/a/1.jpg": b"", "p/val/a/2.jpg": b"", "p/train/.x": b"", "p/train/loose.jpg": b""}
    scanned = read(write_tar(tmp_path / "t.tar", members), root="p/train/")
    assert named(scanned) == ["a/1.jpg"]
    assert scanned.notes == (
        "1 file hidden or of the system ignored",
        "1 file outside p/train/ ignored",
        "1 picture beside the class folders ignored",
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"1.jpg": b"", "1.cls": b"", "2.jpg": b""}, "t.tar: 2 is a picture without 2.cls"),
        ({"1.jpg": b"", "1.cls": b"", "2.cls": b""}, "t.tar: 2.cls has no picture"),
        ({"1.jpg": b"", "1.png": b"", "1.cls": b""}, r"\(1.jpg\) has the same name as .*t.tar \(1.png\)"),
        ({"1.jpg": b"", "1.cls": b"", "1.png": b""}, "t.tar: 1 is a picture without 1.cls"),
        ({"a/../../1.jpg": b""}, r"t.tar: a/\.\./\.\./1.jpg: its path leads out of the folder"),
        ({"/a/1.jpg": b""}, "t.tar: /a/1.jpg: its path leads out of the folder"),
    ],
)
def test_what_is_wrong_with_members_is_an_error(tmp_path, members, message):
    with pytest.raises(BadData, match=message):
        read(write_tar(tmp_path / "t.tar", members))


def test_many_problems_are_counted(tmp_path):
    members = {"0.jpg": b"", "0.cls": b"", **{f"{n}.jpg": b"" for n in range(1, 10)}}
    with pytest.raises(BadData) as caught:
        read(write_tar(tmp_path / "t.tar", members))
    assert len(caught.value.problems) == 6 and "4 more members like these" in str(caught.value)


def test_names_that_occur_twice_are_an_error(tmp_path):
    one, two = (write_tar(tmp_path / f"{n}.tar", {"a/1.jpg": b"", f"b/{n}.jpg": b""}) for n in (1, 2))
    with pytest.raises(BadData, match=r"1.tar \(a/1.jpg\) has the same name as .*2.tar \(a/1.jpg\)$"):
        read(one, two)
    pairs = write_tar(tmp_path / "p.tar", {"1.jpg": b"", "1.cls": b"", "2.jpg": b"", "2.cls": b""})
    pairs.write_bytes(pairs.read_bytes().replace(b"2.cls", b"1.cls"))
    with pytest.raises(BadData):
        read(pairs)


@pytest.mark.parametrize(
    ("signature", "program"), [(b"BZh9", "bunzip2"), (b"\xfd7zXZ\0", "unxz"), (b"\x28\xb5\x2f\xfd", "unzstd")]
)
def test_compressed_archives_are_refused_with_what_to_do(tmp_path, signature, program):
    (tmp_path / "t.tar.gz").write_bytes(gzip.compress(write_tar(tmp_path / "t.tar", FOLDERS).read_bytes()))
    message = r"t.tar.gz: is compressed with gzip, .*: write it anew with ftaug pack, .* or decompress it \(gunzip\)"
    with pytest.raises(BadData, match=message):
        read(tmp_path / "t.tar.gz")
    (tmp_path / "o").write_bytes(signature)
    with pytest.raises(BadData, match=program):
        read(tmp_path / "o")


def test_problems_of_several_archives_come_at_once(tmp_path):
    good = write_tar(tmp_path / "g.tar", FOLDERS)
    for name in "xy":
        (tmp_path / f"{name}.tar").write_bytes(good.read_bytes()[:700])
    with pytest.raises(BadData) as caught:
        read(tmp_path / "x.tar", good, tmp_path / "y.tar")
    assert [str(p).split(": ")[:2] for p in caught.value.problems] == [
        [str(tmp_path / f"{name}.tar"), "truncated"] for name in "xy"
    ]


def test_samples_that_are_links_are_refused_others_are_not(tmp_path):
    import tarfile

    def write(name):
        with tarfile.open(tmp_path / "t.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo("a/1.jpg"))
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "1.jpg"
            archive.addfile(link)
        return tmp_path / "t.tar"

    assert named(read(write("README"))) == ["a/1.jpg"]
    with pytest.raises(BadData, match=r"t.tar: a/2.jpg: is a link: write the archive with tar --dereference"):
        read(write("a/2.jpg"))


def test_a_long_scan_prints_progress(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(archives, "_PROGRESS_SECONDS", 0.0)
    read(write_tar(tmp_path / "t.tar", FOLDERS))
    assert "t.tar: 1 pictures so far" in capsys.readouterr().err


def test_an_empty_archive_has_no_samples(tmp_path):
    scanned = read(write_tar(tmp_path / "t.tar", {}))
    assert len(scanned.names) == 0 and scanned.extents.sizes.dtype == np.int64
