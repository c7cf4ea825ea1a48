"""Noun <-> JSON text, written by hand since this is most of what storing an alert costs.

Total: every noun can be written, and what is written reads back equal. Two things that
JSON has no word for come from hostile input and must not stop the writer: numbers that
are not finite are written as text ("inf"), lone surrogates as ``\\ud800`` escapes.

Tolerant: a value equal to its default is left out, an unknown key is ignored, so rows
outlive the versions that wrote them. Raises KeyError, ValueError, TypeError or
AttributeError for text that no version wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import AuditEntry
from sre_obs.model.evaluation import EntityState, Outcome, Phase, RuleRun
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Group, Told
from sre_obs.model.outcome import Failure, MessageRef
from sre_obs.model.silence import Silence

_NO_EVIDENCE = Evidence()


def dump_alert(alert: Alert) -> str:
    """An alert as JSON text."""
    out: dict[str, Any] = {
        "fingerprint": alert.fingerprint,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": alert.starts_at,
        "fired_at": alert.fired_at,
        "updated_at": alert.updated_at,
    }
    if alert.ends_at is not None:
        out["ends_at"] = alert.ends_at
    if alert.ended is not None:
        out["ended"] = alert.ended.value
    if alert.stale_since is not None:
        out["stale_since"] = alert.stale_since
    if alert.generator_url:
        out["generator_url"] = alert.generator_url
    if alert.rule:
        out["rule"] = alert.rule
    if alert.place:
        out["place"] = alert.place
    if alert.shadow:
        out["shadow"] = True
    if alert.drill:
        out["drill"] = True
    if alert.level:
        out["level"] = alert.level
    if alert.flapping:
        out["flapping"] = True
    if alert.evidence != _NO_EVIDENCE:
        out["evidence"] = _evidence_out(alert.evidence)
    return _dump(out)


def load_alert(text: str) -> Alert:
    """The alert of that text."""
    data = _load(text)
    get = data.get
    ended = get("ended")
    evidence = get("evidence")
    return Alert(
        fingerprint=_word(data["fingerprint"]),
        labels=get("labels", {}),
        annotations=get("annotations", {}),
        starts_at=float(data["starts_at"]),
        fired_at=float(data["fired_at"]),
        updated_at=float(data["updated_at"]),
        ends_at=_number(get("ends_at")),
        ended=None if ended is None else EndReason(ended),
        stale_since=_number(get("stale_since")),
        generator_url=get("generator_url", ""),
        rule=get("rule", ""),
        place=get("place", ""),
        shadow=get("shadow", False),
        drill=get("drill", False),
        evidence=_NO_EVIDENCE if evidence is None else _evidence_in(evidence),
        level=get("level", 0),
        flapping=get("flapping", False),
    )


def _evidence_out(evidence: Evidence) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if evidence.value is not None:
        out["value"] = evidence.value
    if evidence.limit is not None:
        out["limit"] = evidence.limit
    if evidence.comparison:
        out["comparison"] = evidence.comparison
    if evidence.unit:
        out["unit"] = evidence.unit
    if evidence.function:
        out["function"] = evidence.function
    if evidence.count:
        out["count"] = evidence.count
    if evidence.window:
        out["window"] = evidence.window
    if evidence.peak is not None:
        out["peak"] = evidence.peak
    if evidence.documents:
        out["documents"] = evidence.documents
    if evidence.query:
        out["query"] = evidence.query
    if evidence.request:
        out["request"] = evidence.request
    if evidence.measures:
        out["measures"] = {name: _known(value) for name, value in evidence.measures.items()}
    return out


def _evidence_in(data: Mapping[str, Any]) -> Evidence:
    get = data.get
    return Evidence(
        value=_number(get("value")),
        limit=_number(get("limit")),
        comparison=get("comparison", ""),
        unit=get("unit", ""),
        function=get("function", ""),
        count=get("count", 0),
        window=float(get("window", 0.0)),
        peak=_number(get("peak")),
        documents=tuple(get("documents", ())),
        query=get("query", ""),
        request=get("request", ""),
        measures={name: _perhaps(value) for name, value in get("measures", {}).items()},
    )


def dump_group(group: Group) -> str:
    """A group as JSON text."""
    out: dict[str, Any] = {
        "key": group.key,
        "route": group.route,
        "receiver": group.receiver,
        "labels": group.labels,
        "created_at": group.created_at,
    }
    if group.flush_at is not None:
        out["flush_at"] = group.flush_at
    if group.told:
        out["told"] = {name: _told_out(told) for name, told in group.told.items()}
    return _dump(out)


def load_group(text: str) -> Group:
    """The group of that text."""
    data = _load(text)
    get = data.get
    return Group(
        key=_word(data["key"]),
        route=_word(data["route"]),
        receiver=_word(data["receiver"]),
        labels=get("labels", {}),
        created_at=float(data["created_at"]),
        flush_at=_number(get("flush_at")),
        told={name: _told_in(told) for name, told in get("told", {}).items()},
    )


_NONE: frozenset[str] = frozenset()
_NO_LEVELS: Mapping[str, int] = {}


def _told_out(told: Told) -> dict[str, Any]:
    out: dict[str, Any] = {
        "at": told.at,
        "firing": sorted(told.firing),
        "resolved": sorted(told.resolved),
        "generation": told.generation,
    }
    if told.message is not None:
        out["message"] = _message_out(told.message)
    if told.owed:
        out["owed"] = sorted(told.owed)
    if told.levels:
        out["levels"] = told.levels
    return out


def _told_in(data: Mapping[str, Any]) -> Told:
    get = data.get
    return Told(
        at=float(data["at"]),
        firing=frozenset(get("firing", ())),
        resolved=frozenset(get("resolved", ())),
        generation=get("generation", 1),
        message=_message_in(get("message")),
        owed=frozenset(data["owed"]) if "owed" in data else _NONE,
        levels=get("levels", _NO_LEVELS),
    )


def dump_delivery(delivery: Delivery) -> str:
    """A delivery as JSON text."""
    out: dict[str, Any] = {
        "id": delivery.id,
        "number": delivery.number,
        "group": delivery.group,
        "receiver": delivery.receiver,
        "integration": delivery.integration,
        "kind": delivery.kind.value,
        "reason": delivery.reason,
        "firing": delivery.firing,
        "resolved": delivery.resolved,
        "generation": delivery.generation,
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "state": delivery.state.value,
    }
    if delivery.attempts:
        out["attempts"] = delivery.attempts
    if delivery.started_at is not None:
        out["started_at"] = delivery.started_at
    if delivery.finished_at is not None:
        out["finished_at"] = delivery.finished_at
    if delivery.failure:
        out["failure"] = delivery.failure.value
    if delivery.detail:
        out["detail"] = delivery.detail
    if delivery.plain:
        out["plain"] = True
    if delivery.may_repeat:
        out["may_repeat"] = True
    if delivery.message is not None:
        out["message"] = _message_out(delivery.message)
    if delivery.summary:
        out["summary"] = delivery.summary
    if delivery.drill:
        out["drill"] = True
    return _dump(out)


def load_delivery(text: str) -> Delivery:
    """The delivery of that text."""
    data = _load(text)
    get = data.get
    return Delivery(
        id=_word(data["id"]),
        number=int(data["number"]),
        group=_word(data["group"]),
        receiver=_word(data["receiver"]),
        integration=_word(data["integration"]),
        kind=DeliveryKind(data["kind"]),
        reason=get("reason", ""),
        firing=tuple(get("firing", ())),
        resolved=tuple(get("resolved", ())),
        generation=get("generation", 1),
        created_at=float(data["created_at"]),
        due_at=float(data["due_at"]),
        state=DeliveryState(data["state"]),
        attempts=get("attempts", 0),
        started_at=_number(get("started_at")),
        finished_at=_number(get("finished_at")),
        failure=Failure(get("failure", "")),
        detail=get("detail", ""),
        plain=get("plain", False),
        may_repeat=get("may_repeat", False),
        message=_message_in(get("message")),
        summary=get("summary", ""),
        drill=get("drill", False),
    )


def dump_silence(silence: Silence) -> str:
    """A silence as JSON text."""
    return _dump(
        {
            "id": silence.id,
            "matchers": [(m.name, m.op.value, m.value) for m in silence.matchers],
            "starts_at": silence.starts_at,
            "ends_at": silence.ends_at,
            "created_by": silence.created_by,
            "comment": silence.comment,
            "updated_at": silence.updated_at,
        }
    )


def load_silence(text: str) -> Silence:
    """The silence of that text."""
    data = _load(text)
    get = data.get
    return Silence(
        id=_word(data["id"]),
        matchers=tuple(Matcher(name, MatchOp(op), value) for name, op, value in data["matchers"]),
        starts_at=float(data["starts_at"]),
        ends_at=float(data["ends_at"]),
        created_by=get("created_by", ""),
        comment=get("comment", ""),
        updated_at=float(data["updated_at"]),
    )


def dump_entity(state: EntityState) -> str:
    """An entity's state as JSON text."""
    out: dict[str, Any] = {
        "rule": state.rule,
        "key": state.key,
        "entity": state.entity,
        "phase": state.phase.value,
        "since": state.since,
        "last_true_at": state.last_true_at,
        "last_seen_at": state.last_seen_at,
    }
    if state.fired_at is not None:
        out["fired_at"] = state.fired_at
    if state.value is not None:
        out["value"] = state.value
    if state.peak is not None:
        out["peak"] = state.peak
    if state.stale_since is not None:
        out["stale_since"] = state.stale_since
    if state.level:
        out["level"] = state.level
    if state.since_levels:
        out["since_levels"] = [_known(since) for since in state.since_levels]
    if state.history:
        out["history"] = state.history
    return _dump(out)


def load_entity(text: str) -> EntityState:
    """The entity's state of that text."""
    data = _load(text)
    get = data.get
    return EntityState(
        rule=_word(data["rule"]),
        key=_word(data["key"]),
        entity=get("entity", {}),
        phase=Phase(data["phase"]),
        since=float(data["since"]),
        last_true_at=float(data["last_true_at"]),
        last_seen_at=float(data["last_seen_at"]),
        fired_at=_number(get("fired_at")),
        value=_number(get("value")),
        peak=_number(get("peak")),
        stale_since=_number(get("stale_since")),
        level=get("level", 0),
        since_levels=tuple([_perhaps(since) for since in get("since_levels", ())]),
        history=get("history", ""),
    )


def dump_run(run: RuleRun) -> str:
    """A rule's last run as JSON text; its request and answer are not kept."""
    out: dict[str, Any] = {"rule": run.rule, "at": run.at, "outcome": run.outcome.value}
    if run.duration:
        out["duration"] = run.duration
    if run.error:
        out["error"] = run.error
    if run.remedy:
        out["remedy"] = run.remedy
    if run.entities:
        out["entities"] = run.entities
    if run.firing:
        out["firing"] = run.firing
    if run.pending:
        out["pending"] = run.pending
    if run.newest is not None:
        out["newest"] = run.newest
    return _dump(out)


def load_run(text: str) -> RuleRun:
    """The run of that text."""
    data = _load(text)
    get = data.get
    return RuleRun(
        rule=_word(data["rule"]),
        at=float(data["at"]),
        outcome=Outcome(data["outcome"]),
        duration=float(get("duration", 0.0)),
        error=get("error", ""),
        remedy=get("remedy", ""),
        entities=get("entities", 0),
        firing=get("firing", 0),
        pending=get("pending", 0),
        newest=_number(get("newest")),
    )


def dump_audit(entry: AuditEntry) -> str:
    """An entry of the audit log as JSON text."""
    return _dump(
        {
            "at": entry.at,
            "who": entry.who,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
    )


def load_audit(text: str) -> AuditEntry:
    """The entry of that text."""
    data = _load(text)
    get = data.get
    return AuditEntry(
        at=float(data["at"]),
        who=get("who", ""),
        action=get("action", ""),
        subject=get("subject", ""),
        detail=get("detail", ""),
    )


def column(text: str) -> str | bytes:
    """`text` as a value that any row can be found by.

    A database holds valid text only. Text with lone surrogates becomes bytes, which are
    equal to no text, so that two keys never fall together.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def moment(number: float) -> float:
    """`number` as a value to compare by: SQL knows no NaN, which counts as long ago."""
    return -math.inf if math.isnan(number) else number


def _message_out(message: MessageRef) -> dict[str, str]:
    return {"channel": message.channel, "ts": message.ts}


def _message_in(data: Mapping[str, str] | None) -> MessageRef | None:
    return None if data is None else MessageRef(data["channel"], data["ts"])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _known(number: float | None) -> float | str:
    """A number in a list or a mapping, where one that is not known has no key to leave out."""
    return "" if number is None else number


def _perhaps(value: Any) -> float | None:
    return None if value == "" else float(value)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value


def _dump(data: dict[str, Any]) -> str:
    try:
        out = orjson.dumps(data, default=_plain)
    except TypeError:
        return json.dumps(_spelled(data))
    # We write no nulls: one in the output is a number that is not finite (or is text).
    if b"null" in out:
        out = orjson.dumps(_spelled(data))
    return out.decode()


def _load(text: str) -> dict[str, Any]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        data = json.loads(text)
    if not isinstance(data, dict):
        raise TypeError(f"a JSON object expected, not {type(data).__name__}")
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _spelled(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return value
