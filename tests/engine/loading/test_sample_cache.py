"""The sample cache of several processes of a machine: one folder for all, deleted by the first."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from processes import in_ranks
from small_training import state_of

from ftaug.data import cache_dirs
from ftaug.engine.loading.sample_cache import caching

EXPERIMENT = """
data: {train: {image_folder: {path: ../photos}}, val: null, batch_size: 2, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 1, precision: fp32}
"""


@pytest.mark.parametrize("place", ["disk", "ram"])
def test_processes_share_decoded_pictures(tmp_path, monkeypatch, place) -> None:
    monkeypatch.setattr(cache_dirs, "MEMORY", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    for number in range(4):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(path)

    def action(ranks):
        folder = tmp_path / f"rank-{ranks.rank}"
        folder.mkdir()
        with caching(replace(state_of(folder, EXPERIMENT, f"data.cache={place}"), ranks=ranks)) as (state, cache):
            samples = state.splits["train"].samples
            if ranks.rank == 0:
                pixels = [np.asarray(samples.read(index).load(1)) for index in range(4)]
            ranks.wait()
            for path in (tmp_path / "photos").rglob("*.png") if ranks.rank == 1 else ():
                status = path.stat()
                path.write_bytes(b"x" * status.st_size)  # cannot be decoded again
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            ranks.wait()
            pixels = [np.asarray(samples.read(index).load(1)) for index in range(4)]
            ranks.wait()
        ranks.wait()
        return [each[0, 0, 0] for each in pixels], cache.folder.exists()

    assert in_ranks(tmp_path, 2, action) == [([0, 2, 1, 3], place == "disk")] * 2
