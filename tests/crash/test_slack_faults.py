"""Slack that refuses, hangs, or takes a message and loses the answer: delivered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.app.demo.slack.faults import Fault
from sre_obs.app.demo.slack_standin import StandIn
from tests.crash.kills import routes, settle
from tests.daemon import Daemon, fire

pytestmark = pytest.mark.crash

FAULTS = {
    "429": Fault.rate_limited(1),
    "500": Fault.http(500),
    "503 after it was taken": Fault.http(503, after=True),
    "ok false, ratelimited": Fault.refused("ratelimited"),
    "ok false, internal_error after it was taken": Fault.refused("internal_error", after=True),
    "not JSON": Fault.garbled(),
    "hangs": Fault.hang(15),
    "answers too late": Fault.slow(15),
    "closes before it is taken": Fault.drop(after=False),
    "closes after it was taken": Fault.drop(after=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_the_message_arrives_once(tmp_path: Path, fault: Fault) -> None:
    with StandIn(channels=("alerts",)) as slack, Daemon(tmp_path, routes(slack)) as daemon:
        slack.fail_next("chat.postMessage", fault)
        daemon.alert(fire("kill-0"))
        settle(daemon)
        messages = [m for m in slack.messages() if not m.thread_ts]
    assert len(messages) == 1


@pytest.mark.parametrize("resolved", [False, True], ids=["still firing", "resolved meanwhile"])
def test_a_rate_limit_delays_by_what_slack_asked_for_and_no_more(
    tmp_path: Path, resolved: bool
) -> None:
    with StandIn(channels=("alerts",)) as slack, Daemon(tmp_path, routes(slack)) as daemon:
        slack.fail_next("chat.postMessage", Fault.rate_limited(2))
        daemon.alert(fire("kill-0"))
        assert slack.wait_calls(1, method="chat.postMessage")
        if resolved:
            alert = fire("kill-0")
            daemon.alert({**alert, "endsAt": "2020-01-01T00:00:01Z"})
        assert slack.wait_calls(2, method="chat.postMessage")
        refused, taken = [c for c in slack.calls if c.method == "chat.postMessage"]
        settle(daemon)
        messages = slack.messages()
    assert 2.0 <= taken.timer - refused.timer <= 2.5
    posts = [m for m in messages if not m.thread_ts]
    assert len(posts) == 1
    assert ("RESOLVED" in posts[0].text) is resolved
