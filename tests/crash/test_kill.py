"""kill -9 at every point of a delivery's way: nothing is lost, nothing is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.app.demo.slack_standin import StandIn
from tests.crash.kills import Point, kill_once

pytestmark = pytest.mark.crash

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_alert_arrives_once_wherever_the_process_died(tmp_path: Path, seed: int) -> None:
    with StandIn(channels=("alerts",)) as slack:
        result = kill_once(tmp_path, slack, seed)
    assert result.arrived == 1, result
    if result.point is Point.AFTER_COMMIT:
        assert result.accepted
    if result.point is Point.AFTER_SEND:
        assert result.sent_unanswered
