"""`ftaug status`: whether a run is complete, running, stopped or failed."""

from __future__ import annotations

from typing import Any

import typer

from ftaug.commands.options import AsJson, Run


def status(run: Run, as_json: AsJson = False) -> None:
    """Print the state of a run, and end with its exit code: 0 complete or running, 75 to be continued."""
    from ftaug.config.strict_json import dumps
    from ftaug.engine.system.run_state import read_state

    state = read_state(run)
    content: dict[str, Any] = {"run": str(run), "state": state.name, "step": state.step, "exit_code": state.exit_code}
    print(dumps(content, indent=2) if as_json else f"{run}: {state}")
    raise typer.Exit(state.exit_code)
