"""The same pictures in a folder, tar, zip, Parquet and Arrow files: the same digest and the same bits of a training."""

import io
import json

import numpy as np
import pytest
from archives import write_tar, write_zip
from hf_files import PICTURE, classes, picture_table, write_disk, write_parquet
from PIL import Image
from processes import Command
from run_bits import differing, run_bits, without_metadata
from tiny_run import NETWORK
from web_server import served

from ftaug.cli import run
from ftaug.image.datasets.folder import image_folder

pytest.importorskip("pyarrow")

EXPERIMENT = """
name: tiny
plugins: [network.py]
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  batch_size: 4
  workers: 0
backbone: tiny
augment: [{random_resized_crop: {size: 8}}, horizontal_flip]
mix: {mixup: {alpha: 0.4}}
lr: {peak: 3e-3}
train: {epochs: 2, precision: fp32, save_every: 1 steps}
"""
CLASSES = ("cat", "dog", "owl")
FORMATS = {
    "folder": "data.train={image_folder: {path: photos}}",
    "tar": "data.train={image_shards: {path: 'photos-{0..2}.tar'}}",
    "zip": "data.train={image_shards: {path: photos.zip}}",
    "Parquet": "data.train={image_parquet: {path: 'photos-*.parquet'}}",
    "compressed Parquet": "data.train={image_parquet: {path: snappy.parquet}}",
    "Arrow": "data.train={hf_disk: {path: disk}}",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the same pictures in each format, and an experiment."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "network.py").write_text(NETWORK)
    (folder / "tiny.yaml").write_text(EXPERIMENT)
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(256, size=(10, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    write_formats(folder)
    return folder


def write_formats(folder):
    samples = image_folder("train", path=folder / "photos")
    members = {samples.key(index): samples.content(index) for index in range(len(samples))}
    shuffled = np.random.default_rng(1).permutation(len(samples)).tolist()  # as `ftaug pack` writes them
    for shard in range(3):
        names = [samples.key(index) for index in shuffled[shard::3]]
        write_tar(folder / f"photos-{shard}.tar", {name: members[name] for name in names})
    write_zip(folder / "photos.zip", members)
    rows = [(name.rpartition("/")[2], content) for name, content in members.items()]
    table = picture_table(rows, {"image": PICTURE, "label": classes(*CLASSES)}, label=samples.targets.tolist())
    for number in range(2):
        write_parquet(folder / f"photos-{number}.parquet", table.slice(12 * number, 12), row_group_size=5)
    write_parquet(folder / "snappy.parquet", table, row_group_size=7, compression="snappy")
    write_disk(folder / "disk", table.slice(0, 9), table.slice(9))


def bits(run):
    return without_metadata(run_bits(run))


def train(place, name, *options):
    arguments = ["train", str(place / "tiny.yaml"), "--no-report", "--run-dir", str(place / name)]
    return [*arguments, FORMATS[name.partition(",")[0]], *options]


@pytest.fixture(scope="module")
def trained(place):
    """A run on each format."""
    for name in FORMATS:
        assert run(train(place, name)) == 0
    return place


@pytest.mark.parametrize("name", FORMATS)
def test_the_bits_of_a_training_are_those_of_the_folder(trained, name, capsys):
    assert len(bits(trained / "folder")["metrics"]) > 8
    assert differing(bits(trained / name), bits(trained / "folder")) == []
    assert run(["diff", str(trained / "folder"), str(trained / name)]) == 0, capsys.readouterr().out
    recorded = [json.loads((trained / each / "model.json").read_text())["data"] for each in ("folder", name)]
    assert recorded[0] == recorded[1], "the digests of the samples"


def test_archives_at_an_address_have_the_same_bits(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with served((trained / "photos.zip").read_bytes(), "photos.zip") as (server, address):
        arguments = ["train", str(trained / "tiny.yaml"), "--no-report", "--run-dir", str(tmp_path / "run")]
        assert run([*arguments, f"data.train={{image_shards: {{path: '{address}'}}}}"]) == 0
        assert [method for method, _ in server.requests].count("GET") == 1
        assert differing(bits(tmp_path / "run"), bits(trained / "folder")) == []
        assert run(["evaluate", str(tmp_path / "run")]) == 0, "a run folder names the address"
        server.has_head, server.statuses = False, [404]
        assert (
            run(["inspect", str(trained / "tiny.yaml"), f"data.train={{image_shards: {{path: '{address}x'}}}}"]) == 66
        )
    assert f"{address}x: cannot be downloaded (HTTP 404 Not Found); check the address" in capsys.readouterr().err


def test_other_pixels_have_other_bits(trained, tmp_path):
    """The comparison can fail: the cats of an archive have one bit of each color inverted."""
    for name in ("network.py", "tiny.yaml"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    samples = image_folder("train", path=trained / "photos")
    members = {samples.key(index): samples.content(index) for index in range(len(samples))}
    for path in (trained / "photos" / "cat").iterdir():
        file = io.BytesIO()
        Image.fromarray(np.asarray(Image.open(path)) ^ 1).save(file, "PNG")
        members[f"cat/{path.name}"] = file.getvalue()
    write_zip(tmp_path / "photos.zip", members)
    assert run(train(tmp_path, "zip")) == 0
    assert "model.safetensors" in differing(bits(tmp_path / "zip"), bits(trained / "folder"))


@pytest.mark.parametrize(("name", "workers"), [("tar", 2), ("compressed Parquet", 0)])
def test_a_training_in_the_order_of_shards_continues_mid_epoch(place, name, workers):
    """Killed at its third step of five in the first epoch, when it has read more than one shard."""
    kill = """
import signal
from ftaug.engine.training import fit
accumulate, calls = fit.accumulate_gradients, []
def counted(*arguments, **options):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return accumulate(*arguments, **options)
fit.accumulate_gradients = counted
"""
    options = ["data.order=shards", f"data.workers={workers}"]
    whole, killed = (f"{name}, {kind} {workers}" for kind in ("whole", "killed"))
    assert run(train(place, whole, *options)) == 0
    assert Command(train(place, killed, *options), place, kill).wait() == -9
    steps = [path.name for path in (place / killed / "checkpoints").iterdir()]
    assert max(steps) == "step-0000002"
    continued = Command(train(place, killed, *options), place)
    assert continued.wait() == 0, continued.output
    assert differing(bits(place / killed), bits(place / whole)) == []


def test_a_killed_pack_continues_to_the_same_bytes(place, tmp_path):
    """Killed in its third archive."""
    kill = """
import signal
from ftaug.data.shards.tar_writer import TarWriter
add, calls = TarWriter.add, []
def counted(self, files):
    calls.append(1)
    if len(calls) == 14:
        os.kill(os.getpid(), signal.SIGKILL)
    return add(self, files)
TarWriter.add = counted
"""

    def pack(name):
        return ["pack", str(place / "tiny.yaml"), "--size", "6kB", "--output", str(tmp_path / name)]

    assert run(pack("whole")) == 0
    assert Command(pack("killed"), tmp_path, kill).wait() == -9
    names = {path.name for path in (tmp_path / "killed").iterdir()}
    assert {"train-000001.tar", "index.json", ".tmp-train-000002.tar"} <= names and "train-000002.tar" not in names
    assert Command(pack("killed"), tmp_path).wait() == 0
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.name != ".lock"}
        for name in ("whole", "killed")
    ]
    assert contents[0] == contents[1] and len(contents[0]) > 4
