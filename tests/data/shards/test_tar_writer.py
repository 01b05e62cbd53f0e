import hashlib
import tarfile

from ftaug.data.shards.tar_headers import tar_members
from ftaug.data.shards.tar_writer import TarWriter, stored_size

SAMPLES = [{"a/1.jpg": b"1" * 700, "a/1.json": b"{}"}, {"é" * 80 + ".jpg": b""}, {"b\udcff.jpg": b"2"}]


def write(path):
    archive = TarWriter(path)
    for files in SAMPLES:
        archive.add(files)
    return archive


def test_members_are_read_back_and_bytes_are_always_the_same(tmp_path):
    digests = [write(tmp_path / f"{n}.tar").finish() for n in range(2)]
    content = (tmp_path / "0.tar").read_bytes()
    assert digests[0] == digests[1] == hashlib.sha256(content).hexdigest()
    with tarfile.open(tmp_path / "0.tar", errors="surrogateescape") as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}
    assert members == {name: data for files in SAMPLES for name, data in files.items()}
    assert [content[m.offset : m.offset + m.size] for m in tar_members(tmp_path / "0.tar")] == [*members.values()]


def test_an_archive_appears_when_it_is_complete(tmp_path):
    archive = write(tmp_path / "t.tar")
    assert archive.samples == 3 and not (tmp_path / "t.tar").exists()
    archive.finish()
    assert (tmp_path / "t.tar").stat().st_size == archive.size
    write(tmp_path / "u.tar").close()
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


def test_the_size_of_a_sample_is_that_in_the_archive(tmp_path):
    archive = TarWriter(tmp_path / "t.tar")
    archive.add(SAMPLES[0])
    assert archive.size == stored_size(SAMPLES[0]) == 512 + 1024 + 512 + 512
    archive.close()
