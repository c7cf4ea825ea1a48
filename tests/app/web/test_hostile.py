"""Whatever is stored, every page is a page, and nobody's text becomes markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Group
from sre_obs.model.outcome import Failure
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.silence import Silence
from tests.app.web.night import IDLE, NOW, RULES, World
from tests.app.web.reading import check, paths

SCRIPT = "\"><script>alert(1)</script><img src=x onerror=alert(1)> ' onload=alert(1) "


def check_all(world: World) -> None:
    for path in paths(world):
        answer = world.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        if path.endswith(".json"):
            json.loads(answer.content)
        else:
            check(answer.text)


# Text as telemetry has it: markup, control characters, directions, half a surrogate pair.
text = st.one_of(
    st.sampled_from(
        [SCRIPT, "", "\x1b[31mred\x1b[0m", "a\u202eb", "\ud800", "{{ 7*7 }}", "javascript:x", "%2e"]
    ),
    st.text(st.characters(exclude_categories=()), max_size=40),
)
names = st.dictionaries(text, text, max_size=4)
number = st.none() | st.floats(allow_nan=True, allow_infinity=True)
times = st.floats(-1e12, 1e12) | st.floats(NOW - 1e6, NOW + 1e6)
maybe_time = st.none() | times
fingerprints = st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}")

evidences = st.builds(
    Evidence,
    value=number,
    limit=number,
    comparison=text,
    unit=text,
    function=st.sampled_from(["", "count", "max", "absence"]) | text,
    count=st.integers(-5, 2**70),
    window=st.floats(0, 1e9),
    peak=number,
    documents=st.lists(names, max_size=3).map(tuple),
    query=text,
    request=text,
)
alerts = st.builds(
    Alert,
    fingerprint=fingerprints,
    labels=names,
    annotations=st.dictionaries(
        st.sampled_from(["title", "summary", "description", "action", "runbook_url", "owner"]),
        text,
    ),
    starts_at=times,
    fired_at=times,
    updated_at=times,
    ends_at=maybe_time,
    ended=st.none() | st.sampled_from(EndReason),
    stale_since=maybe_time,
    generator_url=text,
    rule=st.sampled_from(["", IDLE.id]) | text,
    place=text,
    shadow=st.booleans(),
    drill=st.booleans(),
    evidence=evidences,
)
deliveries = st.builds(
    Delivery,
    id=text,
    number=st.integers(1, 2**40),
    group=text,
    receiver=text,
    integration=st.sampled_from(["payments/slack[0]", "payments/webhook[0]"]) | text,
    kind=st.sampled_from(DeliveryKind),
    reason=text,
    firing=st.lists(fingerprints, max_size=2).map(tuple),
    resolved=st.lists(fingerprints, max_size=2).map(tuple),
    generation=st.integers(1, 3),
    created_at=times,
    due_at=times,
    state=st.sampled_from(DeliveryState),
    attempts=st.integers(0, 99),
    started_at=maybe_time,
    finished_at=maybe_time,
    failure=st.sampled_from(Failure),
    detail=text,
    may_repeat=st.booleans(),
    summary=text,
)
silences = st.builds(
    Silence,
    id=text.filter(bool),
    matchers=st.lists(
        st.builds(Matcher, text, st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]), text),
        min_size=1,
        max_size=3,
    ).map(tuple),
    starts_at=times,
    ends_at=times,
    created_by=text,
    comment=text,
    updated_at=times,
)
runs = st.builds(
    RuleRun,
    rule=st.sampled_from([rule.id for rule in RULES]),
    at=times,
    outcome=st.sampled_from(Outcome),
    duration=st.floats(0, 1e6),
    error=text,
    remedy=text,
    newest=maybe_time,
    request=text,
    answer=text,
)
groups = st.builds(
    Group,
    key=text,
    route=st.sampled_from(["{}", '{}/{team="team-payments"}']) | text,
    receiver=text,
    labels=names,
    created_at=times,
    flush_at=maybe_time,
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(alerts, max_size=4),
    st.lists(deliveries, max_size=4, unique_by=lambda d: (d.id, d.number)),
    st.lists(silences, max_size=2),
    st.lists(runs, max_size=3),
    st.lists(groups, max_size=2),
    st.lists(text, min_size=3, max_size=3),
)
def test_no_page_fails_for_any_stored_data(
    alerts: list[Alert],
    deliveries: list[Delivery],
    silences: list[Silence],
    runs: list[RuleRun],
    groups: list[Group],
    words: list[str],
) -> None:
    world = World(*RULES)
    changes = Changes(
        alerts=tuple(alerts),
        groups=tuple(groups),
        deliveries=tuple(deliveries),
        silences=tuple(silences),
        runs=tuple(runs),
        joined=tuple((g.key, a.fingerprint) for g in groups for a in alerts),
        audit=(AuditEntry(NOW, *words),),
    )
    world.store.commit(changes)
    world.engine.ledger.apply(changes)
    world.engine.silences = type(world.engine.silences)(silences)
    world.evaluations.progress["default"].error = words[0]
    world.evaluations.progress["default"].failing_since = NOW - 5
    place = Location(words[1])
    world.desk.problems = (Problem(words[2], Severity.ERROR, place, words[0], words[1]),)
    check_all(world)


@given(text, text, text, text)
def test_no_query_string_and_no_form_is_a_500(a: str, b: str, c: str, d: str) -> None:
    world = World(IDLE)
    sent = {"m": a, "extra": b, "for": c, "own": d, "comment": a, "by": b, "zone": c, "count": d}
    sent = {k: v.encode("utf-8", "replace").decode() for k, v in sent.items()}
    for path in ("/", "/silences/new"):
        answer = world.client.get(path, params={**sent, "q": sent["m"]})
        assert answer.status_code in (200, 400)
        check(answer.text)
    answer = world.client.post("/silences", data=sent)
    assert answer.status_code in (303, 400)


def hostile(**fields: Any) -> Alert:
    """An alert whose every text is markup."""
    labels = {"alertname": SCRIPT, "team": SCRIPT, SCRIPT: SCRIPT}
    annotations = {"title": SCRIPT, "description": SCRIPT + "2", "runbook_url": SCRIPT}
    evidence = Evidence(documents=({SCRIPT: SCRIPT},), query=SCRIPT, request=SCRIPT, unit=SCRIPT)
    made: dict[str, Any] = {
        "fingerprint": "00000000000000ff",
        "labels": labels,
        "annotations": annotations,
        "starts_at": NOW,
        "fired_at": NOW,
        "updated_at": NOW,
        "place": SCRIPT,
        "evidence": evidence,
    }
    return Alert(**(made | fields))


def test_markup_in_an_alert_is_text_on_every_page() -> None:
    world = World(*RULES)
    world.fire(hostile())
    world.silence(f'team="{SCRIPT.translate({34: None})}"', 60, by=SCRIPT, comment=SCRIPT)
    check_all(world)
    story = world.get("/alerts/00000000000000ff")
    assert "<script>alert" not in story
    assert "&lt;script&gt;alert(1)" in story


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT://x%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        " javascript:alert(1)",
        "//evil.example",
        "http:evil",
        "https://",
        "vbscript:x",
        "file:///etc/passwd",
        "/silences",
    ],
)
def test_only_http_addresses_become_links(address: str) -> None:
    world = World()
    world.fire(hostile(annotations={"runbook_url": address}, generator_url=address))
    links = check(world.get("/alerts/00000000000000ff")).links
    assert not [link for link in links if not link.startswith(("/", "#"))]
    assert "Runbook" not in world.get("/alerts/00000000000000ff")


def test_an_address_that_is_one_becomes_a_link() -> None:
    world = World()
    address = 'https://runbooks.example.com/a?b="c"&d'
    world.fire(hostile(annotations={"runbook_url": address}))
    assert address in check(world.get("/alerts/00000000000000ff")).links


@pytest.mark.parametrize(
    "make", [lambda: "x" * 300, lambda: "y" * 1_000_000, lambda: "word " * 60_000]
)
def test_endless_names_do_not_make_endless_pages(make: Callable[[], str]) -> None:
    name = make()
    world = World()
    world.fire(
        hostile(labels={"alertname": name, "pod": name}, annotations={"title": name}, place=name)
    )
    assert len(world.get("/")) < 10_000
    assert len(world.get("/alerts/00000000000000ff")) < 400_000


def test_what_can_not_be_seen_is_made_visible() -> None:
    world = World()
    world.fire(hostile(annotations={"title": "safe\u202egnp.exe\x1b[31m\u200b\ud800"}))
    assert "safe\u202e" not in world.get("/alerts/00000000000000ff")
    assert "\x1b" not in world.get("/alerts/00000000000000ff")
