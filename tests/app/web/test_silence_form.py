"""Silences from the page: the form, its preview, its guard, and what is written."""

from __future__ import annotations

import base64
import re
import shlex
from typing import Any

import pytest
from starlette.datastructures import MultiDict

from sre_obs.app.daemon.web.silences import end_of, guard, read
from sre_obs.model.errors import StoreError
from sre_obs.query.matchers import parse_matchers
from tests.app.web.night import NOW, World, idle, night, oom
from tests.app.web.reading import said, words

ONE = 'alertname="idle", application="orders-api"'


def send(world: World, **fields: Any) -> Any:
    """Post the form; a list is a field given more than once."""
    form = {"m": ONE, "for": "2h", "by": "ana", "comment": "failover drill"} | fields
    return world.client.post("/silences", data=form)


def preview(world: World, **fields: Any) -> str:
    page = world.get("/silences/new", **fields)
    found = re.search(r'<div id="preview".*?</div>', page, re.DOTALL)
    assert found is not None
    return words(found[0])


def test_a_silence_from_the_page_hides_the_alert_and_is_audited() -> None:
    world = night()
    answer = send(world)
    assert answer.status_code == 303
    (made,) = [s for s in world.engine.ledger.silences.values() if s.comment == "failover drill"][
        1:
    ]
    assert answer.headers["location"] == f"/silences#s-{made.id}"
    assert made.matchers == parse_matchers(ONE)
    assert (made.starts_at, made.ends_at, made.created_by) == (NOW, NOW + 7_200, "ana")
    newest = world.store.audit()[0]
    assert (newest.who, newest.action, newest.subject) == ("ana", "silence.add", made.id)
    hidden = [card["entity"] for card in world.json("/index.json")["silenced"]]
    assert "orders-api@pg-main" in hidden


def test_a_silence_is_ended_from_the_list_and_that_is_audited_too() -> None:
    world = night()
    (silence,) = world.engine.ledger.silences.values()
    basic = base64.b64encode(b"ben:").decode()
    answer = world.client.post(
        f"/silences/{silence.id}/expire", headers={"authorization": f"Basic {basic}"}
    )
    assert answer.status_code == 303
    assert world.json("/silences.json")[0]["state"] == "expired"
    newest = world.store.audit()[0]
    assert (newest.who, newest.action, newest.subject) == ("ben", "silence.expire", silence.id)


def test_ending_one_that_has_ended_changes_nothing() -> None:
    world = night()
    (silence,) = world.engine.ledger.silences.values()
    for _ in range(2):
        world.client.post(f"/silences/{silence.id}/expire")
    assert [e.action for e in world.store.audit()] == ["silence.expire", "silence.add"]


def test_the_form_opens_with_the_alerts_matchers_each_removable() -> None:
    world = night()
    story = world.get(f"/alerts/{idle().fingerprint}")
    link = re.search(r'href="(/silences/new\?[^"]*)"', story)
    assert link is not None
    form = world.get(link[1])
    boxes = re.findall(r'<input type="checkbox" name="m" value="([^"]*)" checked>', form)
    assert [box.replace("&#34;", '"') for box in boxes] == [
        'alertname="idle"',
        'application="orders-api"',
        'database="pg-main"',
        'team="team-payments"',
    ]


def test_a_matcher_that_was_removed_stays_on_offer() -> None:
    form = read(MultiDict([("offered", 'a="1"'), ("offered", 'b="2"'), ("m", 'b="2"')]))
    assert form.offered == ('a="1"', 'b="2"')
    assert form.chosen == ('b="2"',)


def test_the_preview_says_by_name_what_is_hidden_now_and_was_in_a_week() -> None:
    text = preview(night(), m=ONE)
    assert "Hides 1 now, 2 in the last 7 d." in text
    assert "Now: idle orders-api@pg-main" in text
    assert "In 7 d: idle (2)" in text


def test_the_preview_follows_what_is_removed_and_added() -> None:
    assert "Hides 3 now" in preview(night(), m='alertname="idle", database="pg-main"')
    assert "Hides 0 now" in preview(night(), m='alertname="idle"', extra="database=other")


def test_the_end_is_said_in_utc_and_where_the_reader_is() -> None:
    text = preview(night(), m=ONE, zone="120")
    assert "Ends 05:16:12 UTC, 07:16 UTC+2, in 2 h." in text
    assert "Ends 05:16:12 UTC, in 2 h." in preview(night(), m=ONE)


def test_the_same_as_a_command_survives_a_shell() -> None:
    hostile = 'team="$(reboot)\'\\"; x"'
    text = preview(night(), m=[ONE, hostile], comment="it's `late`", by="ana")
    command = shlex.split(text.split("The same as a command: ")[1])
    assert command[:4] == ["sre-obs", "silence", "add", "-d"]
    assert command[command.index("-c") + 1] == "it's `late`"
    assert [parse_matchers(m)[0] for m in command[-3:]] == [
        *parse_matchers(ONE),
        *parse_matchers(hostile),
    ]


@pytest.mark.parametrize(
    ("text", "zone", "end"),
    [
        ("1h", 0, NOW + 3_600),
        ("3d", 0, NOW + 3 * 86_400),
        ("09:00", 0, NOW + 20_628),  # it is 03:16:12
        ("09:00", 120, NOW + 13_428),
        ("03:16", 0, NOW - 12 + 86_400),  # just missed
        ("9:05", -330, NOW + 40_728),
    ],
)
def test_how_long_it_lasts(text: str, zone: int, end: float) -> None:
    assert end_of(text, NOW, zone) == end


@pytest.mark.parametrize("text", ["", "25:00", "0", "tomorrow", "-1h", "9", "1h;2h"])
def test_what_is_no_duration_and_no_time_of_day_is_explained(text: str) -> None:
    with pytest.raises(ValueError):
        end_of(text, NOW)
    world = night()
    answer = send(world, **{"for": "own", "own": text})
    assert answer.status_code == 400
    assert "Not silenced:" in words(answer.text)


def test_the_browsers_own_time_of_day_is_understood() -> None:
    world = night()
    send(world, **{"for": "09:00", "zone": "120", "comment": "until breakfast"})
    (made,) = [s for s in world.engine.ledger.silences.values() if s.comment == "until breakfast"]
    assert made.ends_at == NOW + 13_428


@pytest.mark.parametrize(
    ("matchers", "hides", "firing", "why"),
    [
        ("team=shop", 1, 100, "it has one matcher"),
        ("severity=critical", 1, 100, "it goes by severity alone"),
        ("severity=~critical, severity!=info", 1, 100, "it goes by severity alone"),
        ("team=shop, pod=a", 51, 100, "it hides more than half of what fires"),
        ("team=shop, pod=a", 50, 100, ""),
        ("team=shop, pod=a", 1, 1, ""),
        ("team=shop, pod=a", 0, 0, ""),
    ],
)
def test_what_must_be_counted(matchers: str, hides: int, firing: int, why: str) -> None:
    assert guard(parse_matchers(matchers), hides, firing) == why


def test_a_broad_silence_is_set_only_by_whoever_types_how_many_it_hides() -> None:
    world = night()
    before = len(world.engine.ledger.silences)
    refused = send(world, m="team=team-payments")
    assert refused.status_code == 400
    assert "it has one matcher: type how many alerts it hides now, 3" in words(refused.text)
    assert len(world.engine.ledger.silences) == before
    assert send(world, m="team=team-payments", count="2", shown="3").status_code == 400
    assert send(world, m="team=team-payments", count="3", shown="3").status_code == 303


def test_the_count_that_was_shown_counts_unless_it_has_doubled() -> None:
    world = night()
    world.fire(idle("late-api"))
    assert send(world, m="team=team-payments", count="3", shown="3").status_code == 303
    world.fire(*(idle(f"{n}-api") for n in range(20)))
    assert send(world, m="team=team-payments", count="3", shown="3").status_code == 400


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"comment": " "}, "it does not say why"),
        ({"by": ""}, "it does not say who made it"),
        ({"m": ""}, "it has no matchers"),
        ({"m": "a="}, "a value"),
        ({"m": 'a=~"("'}, "("),
        ({"m": 'a!="b", c=~".*"'}, "holds for a label that is not there"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(fields: dict[str, str], why: str) -> None:
    answer = send(night(), **fields)
    assert answer.status_code == 400
    assert why in words(answer.text)
    if "comment" not in fields:
        assert 'value="failover drill"' in answer.text


def test_a_store_that_refuses_is_said() -> None:
    world = night()
    world.fake.failing = StoreError("no room on the disk")
    answer = send(world)
    assert answer.status_code == 503
    assert "not on disk yet: no room on the disk" in words(answer.text)


def test_who_is_known_from_the_login() -> None:
    world = night(token="swordfish")
    basic = base64.b64encode(b"ana:swordfish").decode()
    page = world.client.get("/silences/new", headers={"authorization": f"Basic {basic}"})
    assert 'name="by" value="ana"' in page.text
    assert world.client.get("/silences/new").status_code == 401


def test_another_sites_form_is_refused() -> None:
    answer = night().client.post(
        "/silences", data={"m": ONE}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"m=a"] * 1_000), b"m=" + b"a" * 99_000])
def test_a_form_that_nobody_filled_in_is_no_500(body: bytes) -> None:
    answer = night().client.post(
        "/silences", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert 400 <= answer.status_code < 500


def test_a_silence_that_is_not_there_is_a_404() -> None:
    assert night().client.post("/silences/nope/expire").status_code == 404


def test_the_list_has_those_in_force_first_and_how_much_each_hides() -> None:
    world = night()
    world.silence("alertname=oom, pod=web-1", 60, by="ben", comment="known")
    world.clock.at += 61
    world.silence("alertname=oom, pod=web-2", 600, by="eve", comment="soon")
    assert [(s["by"], s["hides"]) for s in world.json("/silences.json")] == [
        ("eve", 1),
        ("ana", 1),
        ("ben", 0),
    ]
    assert "ends in 10 min" in said(world, "/silences")


def test_thousands_of_alerts_do_not_make_the_preview_a_novel() -> None:
    world = World()
    world.fire(*(oom(n) for n in range(2_000)))
    assert len(preview(world, m="alertname=oom, team=team-shop")) < 1_000
