"""Nouns for tests: builders with plain defaults, and hypothesis strategies.

The strategies for single nouns vary every field over all valid text and numbers; those
for `Changes` draw from a few identities, so that changes meet one another.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.evaluation import EntityState, Outcome, Phase, RuleRun
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Group, Told
from sre_obs.model.outcome import Failure, MessageRef
from sre_obs.model.silence import Silence


def make_alert(fingerprint: str = "a1", **fields: Any) -> Alert:
    """An alert that fires since 100."""
    defaults: dict[str, Any] = {
        "labels": {"alertname": "HighErrorRate", "pod": fingerprint},
        "annotations": {"summary": "too many errors"},
        "starts_at": 90.0,
        "fired_at": 100.0,
        "updated_at": 100.0,
    }
    return Alert(fingerprint=fingerprint, **(defaults | fields))


def make_group(key: str = "g1", **fields: Any) -> Group:
    """A group that is looked at at 130."""
    defaults: dict[str, Any] = {
        "route": "{}",
        "receiver": "team",
        "labels": {"alertname": "HighErrorRate"},
        "created_at": 100.0,
        "flush_at": 130.0,
    }
    return Group(key=key, **(defaults | fields))


def make_delivery(number: int = 1, **fields: Any) -> Delivery:
    """A first notification of group g1, ready at 130."""
    defaults: dict[str, Any] = {
        "id": f"d{number}",
        "group": "g1",
        "receiver": "team",
        "integration": "team/slack[0]",
        "kind": DeliveryKind.POST,
        "reason": "first notification",
        "firing": ("a1",),
        "resolved": (),
        "generation": 1,
        "created_at": 130.0,
        "due_at": 130.0,
    }
    return Delivery(number=number, **(defaults | fields))


def make_silence(id_: str = "s1", **fields: Any) -> Silence:
    """A silence of one alert name from 100 to 200."""
    defaults: dict[str, Any] = {
        "matchers": (Matcher("alertname", MatchOp.EQUAL, "HighErrorRate"),),
        "starts_at": 100.0,
        "ends_at": 200.0,
        "created_by": "ann",
        "comment": "being mended",
        "updated_at": 100.0,
    }
    return Silence(id=id_, **(defaults | fields))


def make_entity(rule: str = "shop/errors", key: str = '["a"]', **fields: Any) -> EntityState:
    """An entity whose condition is true since 100."""
    defaults: dict[str, Any] = {
        "entity": {"pod": "a"},
        "phase": Phase.PENDING,
        "since": 100.0,
        "last_true_at": 110.0,
        "last_seen_at": 110.0,
    }
    return EntityState(rule=rule, key=key, **(defaults | fields))


def make_run(rule: str = "shop/errors", at: float = 110.0, **fields: Any) -> RuleRun:
    """A run that found nothing."""
    return RuleRun(rule=rule, at=at, **({"outcome": Outcome.OK} | fields))


def make_entry(at: float = 100.0, **fields: Any) -> AuditEntry:
    """An entry of the audit log."""
    defaults = {"who": "ann", "action": "silence.add", "subject": "s1"}
    return AuditEntry(at=at, **(defaults | fields))


texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False)
counts = st.integers(min_value=0, max_value=2**53)
labels = st.dictionaries(texts, texts, max_size=4)
_fingerprints = st.text("0123456789abcdef", min_size=1, max_size=16)
_maybe = st.none() | numbers
_messages = st.none() | st.builds(MessageRef, channel=texts, ts=texts)

evidences = st.builds(
    Evidence,
    value=_maybe,
    limit=_maybe,
    comparison=texts,
    unit=texts,
    function=texts,
    count=counts,
    window=numbers,
    peak=_maybe,
    documents=st.lists(labels, max_size=3).map(tuple),
    query=texts,
    request=texts,
    measures=st.dictionaries(texts, _maybe, max_size=3),
)
alerts = st.builds(
    Alert,
    fingerprint=texts,
    labels=labels,
    annotations=labels,
    starts_at=numbers,
    fired_at=numbers,
    updated_at=numbers,
    ends_at=_maybe,
    ended=st.none() | st.sampled_from(EndReason),
    stale_since=_maybe,
    generator_url=texts,
    rule=texts,
    place=texts,
    shadow=st.booleans(),
    drill=st.booleans(),
    evidence=evidences,
    level=counts,
    flapping=st.booleans(),
)
_told = st.builds(
    Told,
    at=numbers,
    firing=st.frozensets(_fingerprints, max_size=3),
    resolved=st.frozensets(_fingerprints, max_size=3),
    generation=counts,
    message=_messages,
    owed=st.frozensets(_fingerprints, max_size=3),
    levels=st.dictionaries(_fingerprints, counts, max_size=3),
)
groups = st.builds(
    Group,
    key=texts,
    route=texts,
    receiver=texts,
    labels=labels,
    created_at=numbers,
    flush_at=_maybe,
    told=st.dictionaries(texts, _told, max_size=3),
)
deliveries = st.builds(
    Delivery,
    id=texts,
    number=counts,
    group=texts,
    receiver=texts,
    integration=texts,
    kind=st.sampled_from(DeliveryKind),
    reason=texts,
    firing=st.lists(_fingerprints, max_size=3).map(tuple),
    resolved=st.lists(_fingerprints, max_size=3).map(tuple),
    generation=counts,
    created_at=numbers,
    due_at=numbers,
    state=st.sampled_from(DeliveryState),
    attempts=counts,
    started_at=_maybe,
    finished_at=_maybe,
    failure=st.sampled_from(Failure),
    detail=texts,
    plain=st.booleans(),
    may_repeat=st.booleans(),
    message=_messages,
    summary=texts,
    drill=st.booleans(),
)
silences = st.builds(
    Silence,
    id=texts,
    matchers=st.lists(
        st.builds(Matcher, name=texts, op=st.sampled_from(MatchOp), value=texts), max_size=3
    ).map(tuple),
    starts_at=numbers,
    ends_at=numbers,
    created_by=texts,
    comment=texts,
    updated_at=numbers,
)
entities = st.builds(
    EntityState,
    rule=texts,
    key=texts,
    entity=labels,
    phase=st.sampled_from(Phase),
    since=numbers,
    last_true_at=numbers,
    last_seen_at=numbers,
    fired_at=_maybe,
    value=_maybe,
    peak=_maybe,
    stale_since=_maybe,
    level=counts,
    since_levels=st.lists(_maybe, max_size=3).map(tuple),
    history=texts,
)
runs = st.builds(
    RuleRun,
    rule=texts,
    at=numbers,
    outcome=st.sampled_from(Outcome),
    duration=numbers,
    error=texts,
    remedy=texts,
    entities=counts,
    firing=counts,
    pending=counts,
    newest=_maybe,
)
audit_entries = st.builds(
    AuditEntry, at=numbers, who=texts, action=texts, subject=texts, detail=texts
)

# A few identities and times, so that changes of one thing follow one another.
FINGERPRINTS = ("a1", "a2", "a3")
GROUPS = ("g1", "g2")
INTEGRATIONS = ("team/slack[0]", "team/webhook[0]")
_times = st.sampled_from([1.0, 2.0, 3.0, 4.0])
_which = st.sampled_from(FINGERPRINTS)
_group_keys = st.sampled_from(GROUPS)


@st.composite
def _deliveries_of_few(draw: st.DrawFn) -> Delivery:
    # A delivery's number, group and integration never change.
    number = draw(st.integers(min_value=1, max_value=6))
    state = draw(st.sampled_from(DeliveryState))
    return make_delivery(
        number,
        group=GROUPS[number % 2],
        integration=INTEGRATIONS[number % 3 // 2],
        firing=tuple(draw(st.sets(_which))),
        resolved=tuple(draw(st.sets(_which))),
        state=state,
        due_at=draw(_times),
        attempts=draw(st.integers(min_value=0, max_value=3)),
        finished_at=draw(_times) if state.final else None,
    )


def _few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


changes = st.builds(
    Changes,
    alerts=_few(st.builds(make_alert, _which, fired_at=_times, updated_at=_times)),
    forgotten_alerts=_few(_which),
    groups=_few(st.builds(make_group, _group_keys, flush_at=st.none() | _times)),
    forgotten_groups=_few(_group_keys),
    deliveries=_few(_deliveries_of_few()).map(
        # New deliveries are made in order of number.
        lambda some: tuple(sorted(some, key=lambda d: d.number))
    ),
    silences=_few(st.builds(make_silence, st.sampled_from(["s1", "s2"]), ends_at=_times)),
    entities=_few(
        st.builds(
            make_entity,
            st.sampled_from(["r1", "r2"]),
            st.sampled_from(["k1", "k2"]),
            since=_times,
        )
    ),
    forgotten_entities=_few(
        st.tuples(st.sampled_from(["r1", "r2"]), st.sampled_from(["k1", "k2"]))
    ),
    runs=_few(st.builds(make_run, st.sampled_from(["r1", "r2"]), _times)),
    audit=_few(st.builds(make_entry, _times)),
    joined=_few(st.tuples(_group_keys, _which)),
)
