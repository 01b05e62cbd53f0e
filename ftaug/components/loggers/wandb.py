"""Log to Weights & Biases."""

from __future__ import annotations

import netrc
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ftaug.components.loggers.run_ids import keep_run_id, run_id
from ftaug.config.kinds import logger
from ftaug.config.types import Text
from ftaug.errors import missing_extra
from ftaug.interfaces.logger import LoggedRun, Logger, Status
from ftaug.weights import is_offline

SECONDS = 30
"""Seconds to wait for the server at the start."""

SERVER = "https://api.wandb.ai"


class _WandbRun:
    def __init__(self, library: Any, run: Any) -> None:
        self._library, self._run, self._step = library, run, 0

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        self._run.log({**values, "step": step})

    def image(self, name: str, path: Path) -> None:
        self._run.log({f"plots/{name}": self._library.Image(str(path)), "step": self._step})

    def close(self, status: Status) -> None:
        self._run.finish(exit_code=0 if status == "finished" else 1)


@logger.register
def wandb(
    run: LoggedRun,
    *,
    project: Text = "ftaug",
    entity: Text | None = None,
    mode: Literal["auto", "online", "offline"] = "auto",
) -> Logger:
    """Log to Weights & Biases: figures, the settings as configuration, and plots as images.

    Settings:
        project: the project that the run is in
        entity: the user or team of the project; your own unless set
        mode: `offline` writes into the run folder alone, to be uploaded by `wandb sync`; `auto` is offline without an
            API key or with `--offline`; the environment variable WANDB_MODE overrides `auto`

    A run that continues continues its W&B run.
    """
    try:
        import wandb as library
    except ImportError:
        raise missing_extra("logger 'wandb'", "wandb", "wandb") from None
    number = run_id(run, "wandb") or secrets.token_hex(4)
    mode = _mode() if mode == "auto" else mode
    opened = library.init(
        project=project,
        entity=entity,
        name=run.name,
        id=number,
        resume=None if mode == "offline" else "allow",  # offline the id alone tells `wandb sync`
        dir=str(run.folder),
        mode=mode,
        config=dict(run.settings),
        settings=library.Settings(silent=True, console="off", init_timeout=SECONDS),
    )
    keep_run_id(run, "wandb", number)
    opened.define_metric("step", hidden=True)
    opened.define_metric("*", step_metric="step")  # steps that are logged again after a restart are not dropped
    return _WandbRun(library, opened)


def _mode() -> Any:
    """Return the mode of `auto`: WANDB_MODE, or online with an API key."""
    if chosen := os.environ.get("WANDB_MODE"):
        return chosen
    return "offline" if is_offline() or not _has_key() else "online"


def _has_key() -> bool:
    """Whether there is an API key, in the environment or where `wandb login` stores it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = os.environ.get("WANDB_BASE_URL", SERVER).partition("://")[2].partition("/")[0]
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
