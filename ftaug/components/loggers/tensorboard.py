"""TensorBoard event files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ftaug.config.kinds import logger
from ftaug.errors import missing_extra
from ftaug.interfaces.logger import LoggedRun, Logger, Status

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class _TensorBoard:
    def __init__(self, writer: SummaryWriter) -> None:
        self._writer, self._step = writer, 0

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, step)
        self._writer.flush()

    def image(self, name: str, path: Path) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self._writer.add_image(name, pixels, self._step, dataformats="HWC")

    def close(self, status: Status) -> None:
        self._writer.close()


@logger.register
def tensorboard(run: LoggedRun) -> Logger:
    """Write event files for TensorBoard into the run folder: `tensorboard --logdir RUN`.

    When a run continues, the events after its checkpoint are purged. Settings are shown as text.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing_extra("logger 'tensorboard'", "tensorboard", "tensorboard") from None
    writer = SummaryWriter(str(run.folder / "tensorboard"), purge_step=run.step + 1)
    if run.step == 0:
        settings = yaml.safe_dump(dict(run.settings), sort_keys=False, allow_unicode=True)
        writer.add_text("settings", "".join(f"    {line}\n" for line in settings.splitlines()))
    return _TensorBoard(writer)
