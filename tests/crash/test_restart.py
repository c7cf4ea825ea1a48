"""What a restart must not repeat, lose or resolve, on a receiver that can't be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kills import settle
from tests.daemon import Daemon, fire
from tests.receiver import Receiver

pytestmark = pytest.mark.crash


def routes(receiver: Receiver, wait: str = "0s", interval: str = "1s") -> str:
    return f"""
route: {{receiver: hook, group_by: [alertname], group_wait: {wait}, group_interval: {interval}}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{receiver.url}"}}]
"""


def test_what_was_answered_is_not_repeated_when_the_same_alerts_come_again(
    tmp_path: Path,
) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        daemon.alert(*(fire(f"a{n}") for n in range(20)))
        hook.wait(20)
        settle(daemon)
        daemon.kill()
        daemon.start()
        daemon.alert(*(fire(f"a{n}") for n in range(20)))
        daemon.alert(fire("later"))
        hook.wait(21)
        settle(daemon)
        told = [name for call in hook.calls for name in call.names]
    assert sorted(told) == sorted([*(f"a{n}" for n in range(20)), "later"])


def test_alerts_that_wait_for_their_group_outlive_the_process(tmp_path: Path) -> None:
    with Receiver() as hook:
        daemon = Daemon(tmp_path, routes(hook, wait="2s")).start()
        assert daemon.alert(*(fire(f"a{n}") for n in range(50))) == 200
        daemon.kill()
        assert hook.calls == []
        with daemon.start():
            calls = hook.wait(50)
    assert sorted(name for call in calls for name in call.names) == sorted(
        f"a{n}" for n in range(50)
    )


def test_an_alert_is_not_resolved_because_we_were_away(tmp_path: Path) -> None:
    """Its sender could not reach us; it gets one resolve_timeout to send again."""
    with Receiver() as hook:
        text = "global: {resolve_timeout: 3s}\n" + routes(hook)
        daemon = Daemon(tmp_path, text).start()
        daemon.alert(fire("held"))
        hook.wait(1)
        settle(daemon)
        daemon.kill()
        with daemon.start():
            assert [a["labels"]["alertname"] for a in daemon.get("/api/v2/alerts")] == ["held"]
            calls = hook.wait(2)
        assert calls[1].body["status"] == "resolved"
        assert calls[1].at - calls[0].at >= 3.0


def test_a_stop_by_sigterm_finishes_what_is_under_way(tmp_path: Path) -> None:
    with Receiver() as hook:
        daemon = Daemon(tmp_path, routes(hook)).start()
        daemon.alert(*(fire(f"a{n}") for n in range(30)))
        assert daemon.stop() == 0
        before = len(hook.calls)
        with daemon.start():
            daemon.alert(*(fire(f"a{n}") for n in range(30)))
            hook.wait(30)
            settle(daemon)
        told = [name for call in hook.calls for name in call.names]
    assert sorted(told) == sorted(f"a{n}" for n in range(30))
    assert before > 0


def test_a_second_daemon_on_the_same_store_is_refused_by_the_first_ones_pid(
    tmp_path: Path,
) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        second = Daemon(tmp_path, routes(hook))
        with pytest.raises(AssertionError, match=f"process {daemon.pid}"):
            second.start()
        assert daemon.alert(fire("still-here")) == 200
