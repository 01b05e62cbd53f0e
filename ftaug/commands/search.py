"""`ftaug search`: try values of the search spaces in an experiment file, and confirm the best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, TrustPlugins
from ftaug.errors import MissingInput


def search(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The folder of the search, instead of runs/NAME-search.", metavar="DIR"),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Print the trials so far, and end.")] = False,
    extend: Annotated[
        bool, typer.Option("--extend", help="Continue with wider spaces, or more trials, than before.")
    ] = False,
    policy: Annotated[
        bool, typer.Option("--policy", help="Search augment and mix: screen augmentations, and try combinations.")
    ] = False,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Try values of the search spaces in an experiment file, and confirm the best."""
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.search.search_file import default_folder, open_search

    file, changes = open_experiment(config, trust_plugins=trust_plugins), overrides or []
    if policy:
        from ftaug.runs.policy import policy_search
        from ftaug.runs.study.train_run import trainer

        policy_search.refuse_spaces(file, changes)
        output = output or policy_search.default_folder(file, changes)
        train_plain = None if status else trainer(config, device.value, trust_plugins=trust_plugins)
        changes = policy_search.searched_overrides(file, changes, output, train_plain, device.value)
    opened = open_search(file, changes)

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.runs.report import console
    from ftaug.runs.search import report, tables
    from ftaug.runs.search import search as running
    from ftaug.runs.search.plan import SearchPlan
    from ftaug.runs.search.trials import trials_of
    from ftaug.runs.study.study_folder import StudyFolder
    from ftaug.runs.study.train_run import trainer

    path = output or default_folder(opened.experiment.name)
    if status:
        folder, plan = StudyFolder(path), SearchPlan(opened)
        if folder.description is None:
            raise MissingInput(f"{path}: no search has been started there")
        runs = folder.runs()
        trials = trials_of(runs)
        finished = sum(run.is_finished for run in runs)
        if as_json:
            rows = [running.trial_json(plan, trial) for trial in trials]
            print(console.to_json({"folder": str(path), "finished": finished, "total": plan.total, "trials": rows}))
        else:
            console.show(tables.table(plan, trials), *tables.status_lines(plan, trials, finished))
        return
    folder = running.prepare(opened, path, extend=extend)
    train = trainer(config, device.value, trust_plugins=trust_plugins)
    outcome = running.run_search(opened, folder, train, device.value)
    running.write_result(outcome)
    page = report.write_report(outcome)
    policy_file = {"policy": str(policy_search.write_policy(outcome))} if policy else {}
    if as_json:
        print(console.to_json({**running.as_json(outcome), "report": str(page), **policy_file}))
    else:
        tables.show(outcome, str(page))
        for written in policy_file.values():
            print(f"policy: {written}")
