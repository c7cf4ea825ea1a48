"""What the daemon's log says: a line for each change, and none for what goes on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from sre_obs.app.daemon.journal import MOST, Receivers, Rules, Troubles, tell
from sre_obs.model.alert import Alert, fingerprint
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.notification import Delivery, DeliveryKind
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.route.dedup import Reason
from tests.app.test_evaluations import DOWN, HOOK, Site, busy
from tests.app.virtual import play
from tests.evaluate.world import T0, rule

Line = MutableMapping[str, Any]
REFUSED = Answer(Verdict.REFUSED, Failure.AUTH, "invalid_auth", "give it a new token")
LOST = Answer(Verdict.RETRY, Failure.OTHER, "connection refused", "check its address")
DELIVERED = Answer(Verdict.DELIVERED)


def heard(story: Callable[[], Coroutine[Any, Any, None]]) -> list[Line]:
    """What is logged while it is played."""
    with capture_logs() as lines:
        play(story())
    return lines


def of(lines: list[Line], *events: str) -> list[tuple[str, str]]:
    return [(line["log_level"], line["event"]) for line in lines if line["event"] in events]


def delivery(**changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": "d",
        "number": 1,
        "group": "g",
        "receiver": "chat",
        "integration": "chat/slack[0]",
        "kind": DeliveryKind.POST,
        "reason": str(Reason.FIRST),
        "firing": ("f",),
        "resolved": (),
        "generation": 1,
        "created_at": T0,
        "due_at": T0,
        "summary": "WARNING Pod is busy",
    }
    return Delivery(**{**values, **changes})


def alert(number: int) -> Alert:
    labels = {"alertname": "Busy", "severity": "critical", "pod": f"p-{number}"}
    return Alert(fingerprint(labels), labels, {}, T0, T0, T0)


def test_an_alert_from_its_start_to_its_end_is_told_in_lines() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 200, pod="p-1", cpu=1.0)
        site.sample(200, 700, pod="p-1", cpu=0.1)
        daemon = await site.start()
        await site.at(600)
        await daemon.kill()

    lines = heard(story)
    about = [line for line in lines if line["event"].startswith("alert ")]
    assert [(line["event"], line["alert"], line["entity"]) for line in about] == [
        ("alert fires", "busy", "p-1"),
        ("alert resolved", "busy", "p-1"),
    ]
    assert about[0]["severity"] == "warning"
    assert about[0]["value"] == "1, limit 0.9"
    assert about[1]["reason"] == "under limit"
    told = [line["reason"] for line in lines if line["event"] == "told"]
    assert told == ["first notification", "all resolved"]


def test_a_stream_that_falls_silent_makes_its_alert_and_its_rule_stale_once() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 200, pod="p-1", cpu=1.0)
        site.sample(900, 1_200, pod="p-1", cpu=1.0)
        daemon = await site.start()
        await site.at(1_100)
        await daemon.kill()

    lines = heard(story)
    assert of(lines, "alert is stale", "rule is stale", "rule is well again") == [
        ("warning", "rule is stale"),
        ("info", "alert is stale"),
        ("info", "rule is well again"),
    ]
    (stale,) = (line for line in lines if line["event"] == "rule is stale")
    assert (stale["rule"], stale["location"]) == ("app/busy", "rules/app/pod-busy.yml:1")
    assert "no documents in" in stale["error"]
    assert stale["remedy"]


def test_an_alert_that_nobody_sends_any_more_is_said_to_have_expired() -> None:
    async def story() -> None:
        site = Site()
        daemon = await site.start()
        daemon.engine.accept([replace(alert(1), ends_at=T0 + 100)], T0)
        await site.at(400)
        await daemon.kill()

    about = [line for line in heard(story) if line["event"].startswith("alert ")]
    assert [line["event"] for line in about] == ["alert fires", "alert resolved"]
    assert about[1]["reason"].startswith("expired")


def test_an_alert_that_gets_worse_is_said_once_and_one_that_gets_better_is_not() -> None:
    mild = alert(1)
    worse = replace(mild, level=1, labels={**mild.labels, "severity": "critical"})
    with capture_logs() as lines:
        for before, after in ((mild, worse), (worse, worse), (worse, mild)):
            tell([after], {before.fingerprint: before}, T0)
    assert [(line["event"], line["severity"]) for line in lines] == [("alert is worse", "critical")]


def test_a_storm_is_one_line() -> None:
    with capture_logs() as lines:
        tell([alert(number) for number in range(MOST)], {}, T0)
        assert len(lines) == MOST
        tell([alert(number) for number in range(MOST + 1)], {}, T0)
    assert lines[MOST:] == [
        {
            "event": "many alerts changed at once",
            "fire": 21,
            "resolved": 0,
            "stale": 0,
            "worse": 0,
            "most": "Busy (21)",
            "log_level": "info",
        }
    ]


def test_what_an_alert_says_is_one_line_without_control_characters() -> None:
    labels = {"alertname": "a\x1b[2Jb\nc", "pod": "x" * 5_000}
    with capture_logs() as lines:
        tell([Alert(fingerprint(labels), labels, {}, T0, T0, T0)], {}, T0)
    (line,) = lines
    assert line["alert"] == "ab c"
    assert len(line["entity"]) <= 300


def test_a_source_that_is_away_is_one_line_and_none_for_each_of_its_rules() -> None:
    async def story() -> None:
        site = Site(busy("one"), busy("two"))
        site.sample(-60, 900, pod="p-1", cpu=0.1)
        daemon = await site.start()
        await site.at(100)
        site.fail(DOWN)
        await site.at(500)
        site.fail(None)
        await site.at(700)
        await daemon.kill()

    lines = heard(story)
    assert of(lines, "source can't be read", "source can be read again", "rule is stale") == [
        ("error", "source can't be read"),
        ("info", "source can be read again"),
    ]
    by_event = {line["event"]: line for line in lines}
    assert by_event["source can't be read"]["error"] == DOWN.message
    assert 300 <= by_event["source can be read again"]["seconds"] <= 500


def test_a_rule_that_is_refused_is_said_once_with_its_place_and_remedy() -> None:
    wrong = SourceError("no such function", Blame.REQUEST, remedy="mend the query")

    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 900, pod="p-1", cpu=0.1)
        site.fail(wrong)
        daemon = await site.start()
        await site.at(300)
        site.fail(None)
        await site.at(500)
        await daemon.kill()

    lines = heard(story)
    told = of(lines, "rule is misconfigured", "rule is well again", "source can't be read")
    assert told == [("warning", "rule is misconfigured"), ("info", "rule is well again")]
    line = next(line for line in lines if line["event"] == "rule is misconfigured")
    assert (line["error"], line["remedy"]) == ("no such function", "mend the query")


def test_of_many_rules_that_go_wrong_together_the_rest_is_a_number() -> None:
    rules = [rule(id=f"app/r-{number}") for number in range(MOST + 5)]
    with capture_logs() as lines:
        Rules().ran([(one, RuleRun(one.id, T0, Outcome.STALE, error="x")) for one in rules], T0)
    assert len(lines) == MOST + 1
    assert lines[-1]["count"] == 5


def test_a_receiver_that_fails_is_said_once_and_when_it_works_again() -> None:
    async def story() -> None:
        site = Site()
        daemon = await site.start()
        site.hook.answers = [LOST] * 5
        daemon.engine.accept([alert(1), alert(2)], T0)
        await site.at(300)
        await daemon.kill()

    lines = [line for line in heard(story) if line["event"].startswith("receiver ")]
    assert [line["event"] for line in lines] == ["receiver fails", "receiver works again"]
    fails, works = lines
    assert fails["log_level"] == "warning"
    assert (fails["receiver"], fails["integration"]) == ("hook", HOOK)
    assert (fails["verdict"], fails["failure"]) == ("retry", "other")
    assert (fails["detail"], fails["remedy"]) == ("connection refused", "check its address")
    assert works["seconds"] > 0
    assert works["waited"] == 1


def test_each_reason_of_a_receiver_is_said_once_until_it_works() -> None:
    receivers = Receivers()
    with capture_logs() as lines:
        for answer in (LOST, REFUSED, LOST, REFUSED, DELIVERED, LOST):
            receivers.answered(delivery(), answer, T0, ())
    assert [line.get("detail", line["event"]) for line in lines] == [
        *("connection refused", "invalid_auth"),
        *("receiver works again", "told"),
        "connection refused",
    ]


def test_repeats_and_the_edit_beside_an_answer_are_not_told_again() -> None:
    receivers = Receivers()
    with capture_logs() as lines:
        for kind, reason in (
            (DeliveryKind.REPLY, Reason.REPEAT),
            (DeliveryKind.UPDATE, Reason.ALL_RESOLVED),
            (DeliveryKind.REPLY, Reason.ALL_RESOLVED),
        ):
            receivers.answered(delivery(kind=kind, reason=str(reason)), DELIVERED, T0, ())
    assert [line["reason"] for line in lines] == ["all resolved"]


def test_a_message_that_is_given_up_is_said() -> None:
    refused = Answer(Verdict.CONTENT, Failure.CLIENT, "invalid_blocks")
    with capture_logs() as lines:
        Receivers().answered(delivery(), refused, T0, ())
        Receivers().answered(delivery(plain=True), refused, T0, ())
    (line,) = lines
    assert line["event"] == "given up: refused in its plain form too"
    assert line["log_level"] == "warning"


def test_a_trouble_whose_numbers_alone_differ_is_the_same() -> None:
    troubles = Troubles()
    assert troubles.wrong("a", ("silent for 60 s",), T0)
    assert not troubles.wrong("a", ("silent for 120 s",), T0 + 60)
    assert troubles.wrong("a", ("refused",), T0 + 60)
    troubles.keep({"b"})
    assert troubles.well("a", T0 + 90) is None
    assert troubles.wrong("a", ("refused",), T0 + 100)
    assert troubles.well("a", T0 + 130) == 30
