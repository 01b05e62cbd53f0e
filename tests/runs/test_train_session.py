import time
from types import SimpleNamespace

import pytest

from ftaug.engine.system.ranks import ALONE
from ftaug.runs.train_session import Session


@pytest.mark.parametrize(("save_seconds", "interval"), [(None, 300), (0.5, 300), (6.0, 300), (60.0, 3000)])
def test_saving_takes_at_most_2_percent_of_the_time(monkeypatch, save_seconds, interval):
    """In a day of training with a clock of its own, whose steps take ten seconds."""
    now, saves = 0.0, []
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def save():
        nonlocal now
        now += save_seconds or 0.0
        session.saved_at = now
        saves.append(now)

    session = SimpleNamespace(
        state=SimpleNamespace(experiment=SimpleNamespace(train=SimpleNamespace(save_every=None)), ranks=ALONE),
        progress=SimpleNamespace(step=1, rollback_step=None),
        saved_at=0.0,
        save_seconds=save_seconds,
    )
    while now < 86_400:
        now += 10
        if Session._save_is_due(session):
            save()
    spent = len(saves) * (save_seconds or 0.0)
    assert spent <= 0.02 * now
    assert len(saves) == pytest.approx(now / (interval + (save_seconds or 0.0)), rel=0.05)
