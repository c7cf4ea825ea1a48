"""One alert that gets worse and better: who is told, and how loud."""

from __future__ import annotations

from tests.acceptance.story import Moment, alert, between, post, reply, story, update

SLACK = """
global: {slack_app_token: xoxb-1}
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
receivers:
  - name: ops
    slack_configs: [{channel: "#ops"}]
"""
WEBHOOK = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
receivers:
  - name: ops
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""
PAGED = """
global: {slack_app_token: xoxb-1}
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
  routes:
    - {matchers: ['severity="critical"'], receiver: pager}
receivers:
  - name: ops
    slack_configs: [{channel: "#ops"}]
  - name: pager
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""

DISK = alert("Disk", host="a", severity="warning")
OTHER = alert("Disk", host="b", severity="warning")
FIRST, RISEN, CHANGED = "first notification", "severity risen", "severity changed"


def worse(moment: Moment, *, since: float = 0.0) -> None:
    """The disk is critical by now."""
    moment.push(DISK, severity="critical", level=1, age=since)


def test_a_rise_is_told_as_a_reply_and_a_fall_edits_the_message() -> None:
    with story(SLACK, until=400) as s:
        s.at(0).push(DISK)
        worse(s.at(20))
        s.at(100).push(DISK)
        worse(s.at(200))
        s.want(between(10, 10), "ops", post([DISK], reason=FIRST))
        s.want(between(70, 70), "ops", update([DISK], reason=RISEN))
        s.want(between(70, 70), "ops", reply([DISK], reason=RISEN))
        s.want(between(130, 130), "ops", update([DISK], reason=CHANGED))
        s.want(between(250, 250), "ops", update([DISK], reason=RISEN))
        s.want(between(250, 250), "ops", reply([DISK], reason=RISEN))


def test_a_rise_and_a_fall_between_two_looks_are_told_to_nobody() -> None:
    with story(SLACK, until=400) as s:
        s.at(0).push(DISK)
        worse(s.at(20))
        s.at(50).push(DISK)
        s.want(between(10, 10), "ops", post([DISK]))


def test_what_rises_before_it_was_told_is_told_once() -> None:
    with story(SLACK, until=200) as s:
        s.at(0).push(DISK)
        worse(s.at(5))
        s.want(between(10, 10), "ops", post([DISK], reason=FIRST))


def test_a_rise_is_told_while_others_come_and_go() -> None:
    with story(SLACK, until=200) as s:
        s.at(0).push(DISK, OTHER)
        worse(s.at(20))
        s.at(30).resolve(OTHER)
        s.want(between(10, 10), "ops", post([DISK, OTHER]))
        s.want(between(70, 70), "ops", update([DISK], [OTHER], reason=RISEN))
        s.want(between(70, 70), "ops", reply([DISK], [OTHER], reason=RISEN))


def test_who_can_not_edit_hears_of_a_rise_once_and_of_no_fall() -> None:
    with story(WEBHOOK, until=500) as s:
        s.at(0).push(DISK)
        worse(s.at(20))
        s.at(100).push(DISK)
        worse(s.at(200))
        s.at(300).resolve(DISK)
        s.want(between(10, 10), "ops", post([DISK], reason=FIRST))
        s.want(between(70, 70), "ops", post([DISK], reason=RISEN))
        s.want(between(310, 310), "ops", post(resolved=[DISK], reason="all resolved"))


def test_a_rise_that_leads_elsewhere_is_told_there_and_both_hear_the_end() -> None:
    with story(PAGED, until=900) as s:
        s.at(0).push(DISK)
        worse(s.at(100), since=100)
        s.at(200).push(DISK)  # milder again: the pager hears the end, and nothing before it
        s.at(500).resolve(DISK)
        s.want(between(10, 10), "ops", post([DISK], reason=FIRST))
        s.want(between(100, 110), "pager", post([DISK], reason=FIRST))
        s.want(between(130, 130), "ops", update([DISK], reason=CHANGED))
        s.want(between(250, 250), "ops", update([DISK], reason=CHANGED))
        s.want(between(500, 570), "ops", update(resolved=[DISK]))
        s.want(between(500, 570), "ops", reply(resolved=[DISK]))
        s.want(between(500, 570), "pager", post(resolved=[DISK], reason="all resolved"))
    assert not s.ledger.alerts
    assert not s.ledger.groups


def test_what_was_led_elsewhere_stays_in_the_list_and_is_not_repeated_there() -> None:
    with story(PAGED, until=3800) as s:
        s.at(0).push(DISK)
        worse(s.at(100), since=100)
        s.at(150).push(OTHER)
        s.at(200).resolve(OTHER)
        s.want(between(10, 10), "ops", post([DISK]))
        s.want(between(100, 110), "pager", post([DISK]))
        s.want(between(130, 130), "ops", update([DISK], reason=CHANGED))
        s.want(between(190, 190), "ops", update([OTHER, DISK], reason="new alerts"))
        s.want(between(250, 250), "ops", update([DISK], [OTHER], reason="alerts resolved"))
        s.want(between(3690, 3770), "pager", post([DISK], reason="repeat interval elapsed"))


def test_a_restart_repeats_neither_a_rise_nor_a_fall() -> None:
    with story(SLACK, until=500) as s:
        s.at(0).push(DISK)
        worse(s.at(20))
        s.at(80).restart()
        s.at(100).push(DISK)
        s.at(140).restart()
        s.want(between(10, 10), "ops", post([DISK]))
        s.want(between(70, 70), "ops", update([DISK], reason=RISEN))
        s.want(between(70, 70), "ops", reply([DISK], reason=RISEN))
        s.want(between(130, 140), "ops", update([DISK], reason=CHANGED))


def test_a_silence_of_the_milder_severity_does_not_hide_the_rise() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).silence("severity=warning", 3000)
        s.at(1).push(DISK)
        worse(s.at(100), since=99)
        s.want(between(100, 140), "ops", post([DISK], reason=FIRST))


def test_a_silence_of_the_worse_severity_hides_it_and_its_fall_is_no_news() -> None:
    with story(SLACK, until=900) as s:
        s.at(0).silence("severity=critical", 3000)
        s.at(1).push(DISK)
        worse(s.at(100), since=99)
        s.at(300).push(DISK)
        s.want(between(11, 11), "ops", post([DISK], reason=FIRST))


def test_groups_by_severity_tell_a_rise_as_a_group_of_its_own() -> None:
    by = SLACK.replace("[alertname]", "[alertname, severity]")
    with story(by, until=400) as s:
        s.at(0).push(DISK)
        worse(s.at(100), since=100)
        s.at(200).resolve(DISK)
        s.want(between(10, 10), "ops", post([DISK]))
        s.want(between(100, 110), "ops", post([DISK], reason=FIRST))
        s.want(between(130, 130), "ops", update([DISK], reason=CHANGED))
        for _ in range(2):
            s.want(between(200, 270), "ops", update(resolved=[DISK]))
            s.want(between(200, 270), "ops", reply(resolved=[DISK]))


def test_a_receiver_that_is_down_hears_the_rise_when_it_is_up() -> None:
    with story(SLACK, until=900) as s:
        s.at(0).push(DISK)
        s.fails("ops", between(60, 300))
        worse(s.at(20))
        s.want(between(10, 10), "ops", post([DISK]))
        s.want(between(300, 700), "ops", update([DISK], reason=RISEN))
        s.want(between(300, 700), "ops", reply([DISK], reason=RISEN))
