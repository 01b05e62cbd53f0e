"""Write the rows of metrics.jsonl as TensorBoard event files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.errors import missing_extra

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def open_writer(folder: Path, step: int) -> SummaryWriter:
    """Open a SummaryWriter in a folder, purging events after `step`; raises Unavailable without tensorboard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing_extra("train.tensorboard", "tensorboard", "tensorboard") from None
    return SummaryWriter(str(folder), purge_step=step + 1)


def log_row(writer: SummaryWriter, row: Mapping[str, Any]) -> None:
    """Log a row of metrics.jsonl: training scalars under `train/`, evaluations under `val/`."""
    if "val" in row:
        values = {f"val/{name}": value for name, value in row["val"].items()}
    else:
        values = {f"train/{name}": row[name] for name in ("loss", "lr", "gradient_norm") if name in row}
    for name, value in values.items():
        writer.add_scalar(name, value, row["step"])
    writer.flush()
