"""The same words for the same facts: in Slack, in a terminal and on the page.

Plain text without markup, cleaned but not cut. Thing, then fact, unit, limit.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.notify.text import clean


class State(StrEnum):
    """The word that opens a message, a card and a line."""

    CRITICAL = "CRITICAL"
    WARNING = "WARNING"
    INFO = "INFO"
    STALE = "STALE"
    RESOLVED = "RESOLVED"
    DRILL = "DRILL"


_SEVERITIES = {
    "critical": State.CRITICAL,
    "crit": State.CRITICAL,
    "page": State.CRITICAL,
    "emergency": State.CRITICAL,
    "fatal": State.CRITICAL,
    "info": State.INFO,
    "informational": State.INFO,
    "notice": State.INFO,
    "low": State.INFO,
    "none": State.INFO,
}
_RANK = {State.CRITICAL: 0, State.WARNING: 1, State.INFO: 2}

# Labels that say what kind of alert it is or whose, not what it is about.
_NOT_ENTITY = frozenset(
    (
        *("alertname", "severity", "source", "team", "owner", "rule", "receiver", "runbook"),
        *("alertgroup", "prometheus", "prometheus_replica", "replica", "monitor", "endpoint"),
        *("job", "tier", "priority", "sre_obs_drill", "drill_id"),
    )
)
# What an entity is called by, the most specific thing first; names that are not listed
# come between the two.
_SPECIFIC = (
    *("container", "process", "table", "topic", "queue", "partition", "mountpoint", "device"),
    *("persistentvolumeclaim", "pod", "cronjob", "deployment", "statefulset", "daemonset"),
    *("workload", "application"),
)
_BROAD = (
    *("instance", "service", "host", "hostname", "node", "database", "namespace", "cluster"),
    "environment",
)
_TAILS = frozenset(("name", "id", "keyword", "uid", "address"))

_MEASURED_IN_WINDOW = frozenset(("count", "cardinality", "sum", "increase", "changes"))

ENDED: Mapping[EndReason | None, str] = {
    EndReason.UNDER_LIMIT: "under limit",
    EndReason.GONE: "entity gone",
    EndReason.EXPIRED: "expired: its sender stopped re-sending it",
    EndReason.SENDER: "resolved by its sender",
    EndReason.REMOVED: "its rule was removed",
    EndReason.NO_DATA: "its stream ended",
    EndReason.RECOVERED: "recovered in Kibana",
    EndReason.UNTRACKED: "untracked in Kibana, not known to be mended",
    EndReason.CLOSED: "closed in Kibana",
    EndReason.DELETED: "deleted in Kibana",
    EndReason.STOPPED: "its rule stopped reporting, not known to be mended",
    None: "ended",
}


def severity(alert: Alert) -> State:
    """CRITICAL, WARNING or INFO; anything unheard of is a warning."""
    return _SEVERITIES.get(alert.labels.get("severity", "").strip().lower(), State.WARNING)


def state(firing: Sequence[Alert], resolved: Sequence[Alert], *, drill: bool = False) -> State:
    """What a message about these alerts opens with: the worst of what fires.

    Stale only if nothing else fires: one that can still be seen matters more.
    """
    alerts = (*firing, *resolved)
    if drill or (alerts and all(alert.drill for alert in alerts)):
        return State.DRILL
    if not firing:
        return State.RESOLVED
    seen = [alert for alert in firing if alert.stale_since is None]
    if not seen:
        return State.STALE
    return min((severity(alert) for alert in seen), key=_RANK.__getitem__)


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """By severity, then the oldest; what is stale after what can be seen."""

    def order(alert: Alert) -> tuple[bool, int, float, str]:
        stale = alert.stale_since is not None
        return (stale, _RANK[severity(alert)], alert.starts_at, alert.fingerprint)

    return sorted(alerts, key=order)


def worst(alerts: Sequence[Alert]) -> Alert | None:
    """The one that matters most: of the worst severity the oldest, or an alert of the same
    rule whose value is further beyond the limit."""
    ordered = worst_first(alerts)
    if not ordered:
        return None
    first = ordered[0]
    value = first.evidence.value
    if value is None or first.stale_since is not None:
        return first
    peers = [
        alert
        for alert in ordered
        if (alert.rule, alert.name) == (first.rule, first.name)
        and severity(alert) == severity(first)
        and alert.stale_since is None
        and alert.evidence.value is not None
    ]
    falling = first.evidence.comparison.startswith("<")
    extreme = min if falling else max  # the first of equals: the oldest
    return extreme(peers, key=lambda alert: alert.evidence.value or 0.0)


def title(alert: Alert) -> str:
    """What happened: the rule's title, else the summary, else the alert's name."""
    for name in ("title", "summary"):
        if text := clean(alert.annotations.get(name, "")):
            return text
    return clean(alert.name)


def meaning(alert: Alert) -> str:
    """What it means, or nothing; never the title or the `fact` again."""
    for name in ("description", "message"):
        text = clean(alert.annotations.get(name, ""))
        if text and text not in (title(alert), fact(alert)):
            return text
    return ""


def fact(alert: Alert) -> str:
    """The thing, what is wrong with it and the limit: the summary that its rule wrote, else
    the value against the limit; nothing where there is neither."""
    summary = clean(alert.annotations.get("summary", ""))
    if summary and summary != title(alert):
        return summary.removesuffix(".")
    return measured(alert.evidence)


def first_action(alert: Alert) -> str:
    """What to do first, or nothing."""
    for name in ("action", "first_action", "first"):
        if text := clean(alert.annotations.get(name, "")):
            return text
    return ""


def first_look(alert: Alert) -> str:
    """Where to look first, or nothing."""
    return clean(alert.annotations.get("look", ""))


def flapping(alerts: Sequence[Alert]) -> str:
    """That alerts come and go, or nothing: ``flapping, kept until it is calm``."""
    count = sum(alert.flapping for alert in alerts)
    if not count:
        return ""
    who = f"{count} of {len(alerts)} flapping" if len(alerts) > 1 else "flapping"
    return f"{who}, kept until calm"


def risen(alert: Alert | None) -> str:
    """To what severity an alert has risen above its rule's own, or nothing."""
    if alert is None or not alert.level:
        return ""
    return f"risen to {clean(alert.labels.get('severity', '')) or 'a worse severity'}"


def runbook(alert: Alert) -> str:
    """Where it says what to do, or nothing. Not proven to be a link."""
    for name in ("runbook_url", "runbook"):
        if text := clean(alert.annotations.get(name, "")):
            return text
    return ""


def owner(alert: Alert) -> str:
    """Whose it is, or nothing."""
    for name in ("owner", "team"):
        if text := clean(alert.labels.get(name, "") or alert.annotations.get(name, "")):
            return text
    return ""


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}")


def entity(alert: Alert, without: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What the alert is about: up to three label values, the most specific first.

    Labels in `without` are left out (a group's own, said already), unless nothing were
    left.
    """
    names = [n for n, v in alert.labels.items() if n.lower() not in _NOT_ENTITY and clean(v)]
    own = [n for n in names if without is None or without.get(n) != alert.labels[n]]
    ranked = sorted(own or names, key=_specificity)
    values: dict[str, None] = {}
    for name in ranked:
        values[_address(clean(alert.labels[name]))] = None
    return tuple(values)[:3]


def _address(value: str) -> str:
    """Of an address that is a URL (agents call a database by its DSN) host and path alone: a
    login and options are nobody's name."""
    scheme, mark, rest = value.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme):
        return value
    return rest.partition("?")[0].rpartition("@")[2] or value


def _specificity(name: str) -> int:
    parts = [part for part in name.lower().replace(".", "_").split("_") if part]
    while len(parts) > 1 and parts[-1] in _TAILS:
        parts.pop()
    last = parts[-1] if parts else ""
    if last in _SPECIFIC:
        return _SPECIFIC.index(last) - len(_SPECIFIC)
    return _BROAD.index(last) + 1 if last in _BROAD else 0


def group_values(labels: Mapping[str, str]) -> tuple[str, ...]:
    """What a group has in common, beyond the alert's name: ``("shop",)``."""
    names = [n for n, v in labels.items() if n.lower() not in _NOT_ENTITY and clean(v)]
    return tuple(dict.fromkeys(clean(labels[n]) for n in sorted(names, key=_specificity)))


def group_id(key: str) -> str:
    """What a group is called where its key is too long: ``g-7c1f03aa``."""
    return "g-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def measured(evidence: Evidence) -> str:
    """The value against the limit: ``912 s, limit 900 s``; nothing without a value."""
    if evidence.value is None:
        return ""
    unit = clean(evidence.unit)
    value, limit = _apart(evidence.value, evidence.limit, unit)
    if _share(unit):
        limit = limit.removesuffix(f" {unit}")  # 13 % of transactions, limit 10 %
    return _in_window(value, evidence) + (f", limit {limit}" if limit else "")


def last_value(evidence: Evidence) -> str:
    """The value alone: ``1,368 s``; nothing without one."""
    return "" if evidence.value is None else quantity(evidence.value, clean(evidence.unit))


def peak(evidence: Evidence) -> str:
    """The worst value of the episode: ``peak 5 kills in 30 min``; nothing if unknown."""
    if evidence.peak is None:
        return ""
    return "peak " + _in_window(quantity(evidence.peak, clean(evidence.unit)), evidence)


def _in_window(text: str, evidence: Evidence) -> str:
    if evidence.function in _MEASURED_IN_WINDOW and evidence.window > 0:
        return f"{text} in {duration(evidence.window)}"
    return text


def why_ended(alerts: Sequence[Alert]) -> str:
    """Why they ended: ``under limit``, or ``under limit (2), entity gone (1)``."""
    reasons = Counter(ENDED[alert.ended] for alert in alerts)
    if len(reasons) == 1:
        return next(iter(reasons))
    return ", ".join(f"{reason} ({n})" for reason, n in reasons.most_common())


def lasted(alerts: Sequence[Alert], now: float) -> float:
    """Seconds from the first start to the last end."""
    ends = [now if alert.ends_at is None else alert.ends_at for alert in alerts]
    return max(0.0, max(ends) - min(alert.starts_at for alert in alerts))


def quantity(value: float, unit: str = "", digits: int = 4) -> str:
    """A number and its unit as a person reads them: ``1,368 s``, ``1.5 GiB``, ``15 %``."""
    if unit.lower() in ("byte", "bytes", "b") and math.isfinite(value):
        return _bytes(value, digits)
    if unit.lower() == "ratio":
        return f"{number(value * 100, digits)} %"
    if _share(unit):
        return f"{number(value * 100, digits)} % {unit}"
    if value == 1 and unit == "documents":
        unit = "document"  # the unit of rules that count, where they name none
    return f"{number(value, digits)} {unit}".rstrip()


def _share(unit: str) -> bool:
    """Whether a value is a part of a whole: ``of transactions``."""
    return unit.startswith("of ")


def _apart(value: float, limit: float | None, unit: str) -> tuple[str, str]:
    """Both as text, with as many digits as it takes to tell them apart."""
    if limit is None:
        return quantity(value, unit), ""
    for digits in (4, 7, 10, 15):
        texts = quantity(value, unit, digits), quantity(limit, unit, digits)
        if texts[0] != texts[1] or value == limit:
            return texts
    return f"{value!r} {unit}".rstrip(), f"{limit!r} {unit}".rstrip()


def _bytes(value: float, digits: int) -> str:
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    step = 0
    while abs(value) >= 1024 and step < len(units) - 1:
        value, step = value / 1024, step + 1
    return f"{number(value, digits)} {units[step]}"


def number(value: float, digits: int = 4) -> str:
    """With commas, whole where it is whole, else `digits` that count; never an exponent
    for what a person could read without."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if abs(value) >= 1e15 or (value and abs(value) < 1e-6):
        return f"{value:.3g}"
    if value == int(value):
        return f"{int(value):,}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1 + math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(digits - whole, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float) -> str:
    """The two largest units that count: ``45 s``, ``31 min``, ``1 h 5 min``, ``2 d 3 h``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3_600:
        minutes, rest = divmod(left, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 5 else f"{minutes} min"
    if left < 86_400:
        hours, rest = divmod(left, 3_600)
        return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
    days, rest = divmod(left, 86_400)
    return f"{days} d {rest // 3_600} h" if rest >= 3_600 else f"{days} d"


def clock(at: float, now: float) -> str:
    """``03:12 UTC``, with the date if it is another day's."""
    then, today = _utc(at), _utc(now)
    if then is None:
        return "an unknown time"
    same_day = today is not None and then.date() == today.date()
    return then.strftime("%H:%M UTC" if same_day else "%Y-%m-%d %H:%M UTC")


def _utc(at: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def place(alert: Alert) -> str:
    """The rule's file:line, else where the alert came from."""
    return clean(alert.place) or ("from the API" if not alert.rule else clean(alert.rule))


def named(fields: Mapping[str, str]) -> str:
    """Fields and their values on one line: ``pid=13643 state="idle in transaction"``."""
    return " ".join(f"{clean(name)}={_quoted(clean(value))}" for name, value in fields.items())


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value or not value else value
