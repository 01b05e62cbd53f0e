"""Torchvision's datasets on tiny files in their true formats, against torchvision itself."""

import bz2
import io
import json
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image
from scipy.io import savemat

from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.image.datasets import arrays
from ftaug.image.datasets.torchvision import SOURCES
from ftaug.image.datasets.torchvision import torchvision as read

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def unverified(monkeypatch, tmp_path_factory):
    """The checksums are those of the real files; here a file that exists will do."""
    for name in ("cifar", "flowers102", "svhn", "stl10", "mnist", "semeion"):
        module = sys.modules[f"torchvision.datasets.{name}"]
        monkeypatch.setattr(module, "check_integrity", lambda path, md5=None: Path(path).is_file())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def picture(path: Path, height: int = 9, width: int = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(path)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def pickled(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))


def cifar10(root: Path) -> None:
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        pickled(
            root / "cifar-10-batches-py" / name,
            {"data": rng.integers(0, 256, (4, 3072), np.uint8), "labels": rng.integers(0, 10, 4).tolist()},
        )
    pickled(root / "cifar-10-batches-py" / "batches.meta", {"label_names": [f"thing {i}" for i in range(10)]})


def cifar100(root: Path) -> None:
    for name in ("train", "test"):
        content = {"data": rng.integers(0, 256, (6, 3072), np.uint8), "fine_labels": rng.integers(0, 100, 6).tolist()}
        pickled(root / "cifar-100-python" / name, content)
    pickled(root / "cifar-100-python" / "meta", {"fine_label_names": [f"thing {i}" for i in range(100)]})


def idx(path: Path, array: np.ndarray, kind: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes())


def mnist_like(folder: str):
    def make(root: Path) -> None:
        for part in ("train", "t10k"):
            idx(root / folder / "raw" / f"{part}-images-idx3-ubyte", rng.integers(0, 256, (5, 28, 28), np.uint8))
            idx(root / folder / "raw" / f"{part}-labels-idx1-ubyte", rng.integers(0, 10, 5).astype(np.uint8))

    return make


def emnist_letters(root: Path) -> None:
    for part in ("train", "test"):
        prefix = root / "EMNIST" / "raw" / f"emnist-letters-{part}"
        idx(Path(f"{prefix}-images-idx3-ubyte"), rng.integers(0, 256, (5, 28, 28), np.uint8))
        idx(Path(f"{prefix}-labels-idx1-ubyte"), rng.integers(1, 27, 5).astype(np.uint8))


def qmnist(root: Path) -> None:
    for part in ("train", "test"):
        idx(root / "QMNIST" / "raw" / f"qmnist-{part}-images-idx3-ubyte", rng.integers(0, 256, (5, 28, 28), np.uint8))
        labels = rng.integers(0, 10, (5, 8)).astype(">i4")
        idx(root / "QMNIST" / "raw" / f"qmnist-{part}-labels-idx2-int", labels, kind=12)


def svhn(root: Path) -> None:
    for part in ("train", "test"):
        content = {"X": rng.integers(0, 256, (32, 32, 3, 6), np.uint8), "y": np.arange(5, 11, dtype=np.uint8)[:, None]}
        savemat(root / f"{part}_32x32.mat", content)


def stl10(root: Path) -> None:
    folder = root / "stl10_binary"
    folder.mkdir()
    for part in ("train", "test", "unlabeled"):
        (folder / f"{part}_X.bin").write_bytes(rng.integers(0, 256, (3, 3, 96, 96), np.uint8).tobytes())
        (folder / f"{part}_y.bin").write_bytes(bytes([1, 10, 4]))
    write(folder / "class_names.txt", "\n".join(f"thing {i}" for i in range(10)))
    write(folder / "fold_indices.txt", "0 1 2\n")


def usps(root: Path) -> None:
    for name in ("usps.bz2", "usps.t.bz2"):
        lines = [
            f"{label} " + " ".join(f"{i + 1}:{value:.4f}" for i, value in enumerate(rng.uniform(-1, 1, 256)))
            for label in (1, 10, 4)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(lines).encode()))


def semeion(root: Path) -> None:
    rows = [[*rng.integers(0, 2, 256).tolist(), *np.eye(10, dtype=int)[label]] for label in (3, 0, 9)]
    write(root / "semeion.data", "\n".join(" ".join(f"{value}" for value in row) for row in rows))


def flowers102(root: Path) -> None:
    base = root / "flowers-102"
    for number in range(1, 10):
        picture(base / "jpg" / f"image_{number:05d}.jpg")
    savemat(base / "imagelabels.mat", {"labels": np.array([[1, 5, 102, 7, 7, 8, 9, 1, 2]])})
    savemat(base / "setid.mat", {"trnid": [[3, 1, 2, 9]], "valid": [[4, 5]], "tstid": [[6, 7, 8]]})


def oxford_iiit_pet(root: Path) -> None:
    base = root / "oxford-iiit-pet"
    names = [f"{kind}_{i}" for kind in ("Abyssinian", "american_bulldog") for i in range(4)]
    for name in names:
        picture(base / "images" / f"{name}.jpg")
    for part, offset in (("trainval", 0), ("test", 2)):
        some = [name for i, name in enumerate(names) if i % 4 // 2 * 2 == offset]
        lines = [f"{name} {1 if name[0] == 'A' else 2} {1 if name[0] == 'A' else 2} 1" for name in some]
        write(base / "annotations" / f"{part}.txt", "\n".join(lines))


def food101(root: Path) -> None:
    base = root / "food-101"
    for part, numbers in (("train", (1, 2)), ("test", (3,))):
        listed = {kind: [f"{kind}/{number}" for number in numbers] for kind in ("waffles", "baklava")}
        write(base / "meta" / f"{part}.json", json.dumps(listed))
        for names in listed.values():
            for name in names:
                picture(base / "images" / f"{name}.jpg")


def eurosat(root: Path) -> None:
    for name in ("Forest/Forest_1", "Forest/Forest_2", "River/River_1"):
        picture(root / "eurosat" / "2750" / f"{name}.jpg")


def dtd(root: Path) -> None:
    base = root / "dtd" / "dtd"
    for part, number in (("train", 1), ("val", 2), ("test", 3)):
        names = [f"{kind}/{kind}_{number}.jpg" for kind in ("striped", "banded")]
        write(base / "labels" / f"{part}1.txt", "\n".join(names))
        for name in names:
            picture(base / "images" / name)


def fgvc_aircraft(root: Path) -> None:
    base = root / "fgvc-aircraft-2013b" / "data"
    write(base / "variants.txt", "707-320\n727-200\n")
    for part, numbers in (("train", (5, 1)), ("val", (2,)), ("test", (3, 4))):
        lines = [f"{number:07} {'707-320' if number % 2 else '727-200'}" for number in numbers]
        write(base / f"images_variant_{part}.txt", "\n".join(lines))
        for number in numbers:
            picture(base / "images" / f"{number:07}.jpg")


def gtsrb(root: Path) -> None:
    base = root / "gtsrb"
    for sign in range(43):
        picture(base / "GTSRB" / "Training" / f"{sign:05}" / "00000_00000.ppm")
    rows = [
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId",
        "00000.ppm;7;9;1;1;5;5;16",
        "00001.ppm;7;9;1;1;5;5;1",
    ]
    write(base / "GT-final_test.csv", "\n".join(rows))
    for number in range(2):
        picture(base / "GTSRB" / "Final_Test" / "Images" / f"{number:05}.ppm")


def caltech101(root: Path) -> None:
    for kind in ("ant", "BACKGROUND_Google", "wrench"):
        for number in (1, 2):
            picture(root / "caltech101" / "101_ObjectCategories" / kind / f"image_{number:04}.jpg")
    (root / "caltech101" / "Annotations").mkdir()


def caltech256(root: Path) -> None:
    for position, kind in enumerate(("001.ak47", "002.american-flag"), 1):
        for number in (1, 2):
            name = f"{position:03}_{number:04}.jpg"
            picture(root / "caltech256" / "256_ObjectCategories" / kind / name)


def country211(root: Path) -> None:
    for part in ("train", "valid", "test"):
        for country in ("AD", "ZW"):
            picture(root / "country211" / part / country / "1.jpg")


def rendered_sst2(root: Path) -> None:
    for part in ("train", "valid", "test"):
        for feeling in ("negative", "positive"):
            picture(root / "rendered-sst2" / part / feeling / "1.png")


def sun397(root: Path) -> None:
    write(root / "SUN397" / "ClassName.txt", "/a/abbey\n/a/apartment_building/outdoor\n")
    for number, kind in enumerate(("abbey", "apartment_building/outdoor", "abbey")):
        picture(root / "SUN397" / "a" / kind / f"sun_{9 - number}.jpg")


def stanford_cars(root: Path) -> None:
    base = root / "stanford_cars"
    fields = [(name, object) for name in ("fname", "class")]
    for part, path in (
        ("train", base / "devkit" / "cars_train_annos.mat"),
        ("test", base / "cars_test_annos_withlabels.mat"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        savemat(path, {"annotations": np.array([("00001.jpg", 2), ("00002.jpg", 1)], fields)})
        for number in (1, 2):
            picture(base / f"cars_{part}" / f"{number:05}.jpg")
    names = np.array(["AM General Hummer SUV 2000", "Acura RL Sedan 2012"], object)
    savemat(base / "devkit" / "cars_meta.mat", {"class_names": names})


def imagenette(root: Path) -> None:
    for part in ("train", "val"):
        for wnid in ("n01440764", "n02102040"):
            picture(root / "imagenette2" / part / wnid / "1.JPEG")


MAKERS = {
    **{make.__name__: make for make in (cifar10, cifar100, emnist_letters, qmnist, svhn, stl10, usps, semeion)},
    **{
        name: mnist_like(folder)
        for name, folder in {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}.items()
    },
    **{make.__name__: make for make in (flowers102, oxford_iiit_pet, food101, eurosat, dtd, fgvc_aircraft, gtsrb)},
    **{
        make.__name__: make
        for make in (caltech101, caltech256, country211, rendered_sst2, sun397, stanford_cars, imagenette)
    },
}
UPRIGHT = {"emnist_letters": lambda pixels: pixels.transpose(1, 0)}
CASES = [(name, split) for name in MAKERS for split in SOURCES[name].splits]


def shown(samples, index: int) -> np.ndarray:
    raw = samples.read(index)
    return raw if isinstance(raw, np.ndarray) else np.array(Image.open(io.BytesIO(raw)).convert("RGB"))


@pytest.mark.parametrize("name, split", CASES)
def test_pictures_and_labels_are_those_of_torchvision(tmp_path, name, split):
    MAKERS[name](tmp_path)
    samples = read(name, split, path=tmp_path)
    source = SOURCES[name]
    fetch = {"download": False} if name == "semeion" else {}
    oracle = getattr(torchvision.datasets, source.type)(tmp_path, **source.splits[split], **fetch)
    assert len(samples) == len(oracle)
    assert samples.targets.dtype == np.int64 and samples.targets.max() < len(samples.task.classes)
    shift = 1 if name == "emnist_letters" else 0
    turned = UPRIGHT.get(name, lambda pixels: pixels)
    expected = sorted((turned(np.asarray(image)).tobytes(), int(label) - shift) for image, label in oracle)
    found = sorted((shown(samples, i).tobytes(), int(samples.targets[i])) for i in range(len(samples)))
    assert found == expected
    assert not samples.task.multi_label and samples.groups is None
    again = pickle.loads(pickle.dumps(samples))
    assert np.array_equal(shown(again, 0), shown(samples, 0)) and again.name(0) == samples.name(0)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_split_has_the_same_classes_and_another_fingerprint(tmp_path, name):
    MAKERS[name](tmp_path)
    splits = [read(name, split, path=tmp_path) for split in SOURCES[name].splits]
    assert len({samples.task for samples in splits}) == 1
    assert all(isinstance(label, str) for label in splits[0].task.classes)
    assert len({samples.fingerprint for samples in splits}) == len(splits)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_missing_data_names_the_folder_and_the_setting(tmp_path, name):
    with pytest.raises(MissingInput, match=f"^{name} is not in {tmp_path} as torchvision's") as caught:
        read(name, "train", path=tmp_path)
    assert ("download: true" in str(caught.value)) == SOURCES[name].downloads
    assert "\n" not in str(caught.value) and "download=True" not in str(caught.value)


@pytest.mark.parametrize("name, split", [("cifar10", "val"), ("eurosat", "test"), ("imagenette", "test")])
def test_a_split_that_there_is_not_is_told_with_those_there_are(tmp_path, name, split):
    with pytest.raises(
        ExperimentError, match=rf"{name} has no '{split}' split, only 'train'.*{split}: \{{split: 20%\}}"
    ):
        read(name, split, path=tmp_path)


def test_downloading_what_cannot_be_is_told(tmp_path):
    with pytest.raises(MissingInput, match="cannot be downloaded any more"):
        read("stanford_cars", "train", path=tmp_path, download=True)


def test_a_failed_download_is_missing_input(tmp_path, monkeypatch):
    def unreachable(*arguments, **keywords):
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["torchvision.datasets.cifar"], "download_and_extract_archive", unreachable)
    with pytest.raises(MissingInput, match=r"cifar10 could not be downloaded into .*: no route to host"):
        read("cifar10", "train", path=tmp_path, download=True)


def test_damaged_data_is_bad_data(tmp_path):
    svhn(tmp_path)
    (tmp_path / "train_32x32.mat").write_bytes(b"not a matrix" * 50)
    with pytest.raises(BadData, match=r"svhn: the data in .* cannot be read"):
        read("svhn", "train", path=tmp_path)


def test_a_listed_file_that_is_not_there_is_named(tmp_path):
    flowers102(tmp_path)
    (tmp_path / "flowers-102" / "jpg" / "image_00009.jpg").unlink()
    with pytest.raises(MissingInput, match=r"image_00009\.jpg is listed"):
        read("flowers102", "train", path=tmp_path)


def test_a_cut_pixmap_is_bad_data(tmp_path):
    gtsrb(tmp_path)
    file = tmp_path / "gtsrb" / "GTSRB" / "Training" / "00000" / "00000_00000.ppm"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(BadData, match=r"00000_00000\.ppm: not a complete portable pixmap"):
        read("gtsrb", "train", path=tmp_path).read(0)


def test_nothing_is_printed_to_standard_output(tmp_path, capsys):
    cifar10(tmp_path)
    read("cifar10", "train", path=tmp_path, download=True)
    assert capsys.readouterr().out == ""


class TestLargeArrays:
    """Workers share one copy of large arrays."""

    @pytest.fixture
    def samples(self, tmp_path, monkeypatch):
        monkeypatch.setattr(arrays, "_LARGE", 1000)
        cifar10(tmp_path)
        return lambda: read("cifar10", "train", path=tmp_path)

    def test_they_are_mapped_and_pickle_small(self, samples, tmp_path):
        mapped = samples()
        assert isinstance(mapped.pictures, np.memmap)
        assert len(pickle.dumps(mapped)) < 3000 < mapped.pictures.nbytes
        again = pickle.loads(pickle.dumps(mapped))
        oracle = torchvision.datasets.CIFAR10(tmp_path).data
        assert np.array_equal(again.pictures, oracle) and np.array_equal(mapped.pictures, oracle)

    def test_a_damaged_file_is_written_again(self, samples):
        mapped = samples()
        file = Path(mapped.pictures.filename)
        expected = np.array(mapped.pictures)
        content = file.read_bytes()
        for damage in (b"", content[:500], content[:-1] + bytes([content[-1] ^ 1])):
            file.unlink()
            file.write_bytes(damage)
            assert np.array_equal(samples().pictures, expected)

    def test_without_a_place_to_write_they_stay_in_memory(self, samples, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert not isinstance(samples().pictures, np.memmap)


def test_what_is_read_is_a_copy(tmp_path):
    cifar10(tmp_path)
    samples = read("cifar10", "test", path=tmp_path)
    samples.read(0)[:] = 0
    assert samples.read(0).any()
