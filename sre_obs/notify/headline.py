"""A notice's headline and the sentence under it: the same words for every receiver.

``CRITICAL PostgreSQL session idle in transaction orders-api@pg-main: 912 s, limit 900 s``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sre_obs.model.alert import Alert
from sre_obs.notify import wording
from sre_obs.notify.notice import Notice
from sre_obs.notify.text import clean, cut
from sre_obs.notify.wording import State

HEADLINE_MOST = 150
_VALUE_MOST = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """State, title, what it is about, value: already cut to fit together.

    `count` is ``3 of 8`` and `names` what the group has in common; for a single alert
    `count` is empty and `names` are its entity.
    """

    state: State
    title: str
    count: str
    names: tuple[str, ...]
    value: str

    @property
    def word(self) -> str:
        """The state as it is written."""
        return "DRILL, no action" if self.state is State.DRILL else str(self.state)

    @property
    def lead(self) -> str:
        """What stands before the names: ``3 of 8 in ``, or nothing."""
        return f"{self.count} in " if self.count and self.names else self.count

    @property
    def words(self) -> str:
        """All but the value."""
        subject = self.lead + "@".join(self.names)
        return " ".join(part for part in (self.word, self.title, subject) if part)

    def __str__(self) -> str:
        return f"{self.words}: {self.value}" if self.value else self.words


def as_is(text: str) -> str:
    """Cleaned, with nothing replaced: for a medium without markup."""
    return clean(text)


def headline(
    notice: Notice,
    *,
    prose: Callable[[str], str] = as_is,
    bare: Callable[[str], str] = as_is,
    size: Callable[[str], int] = len,
    most: int = HEADLINE_MOST,
) -> Headline:
    """The headline in at most `most` characters as `size` counts them.

    `prose` and `bare` make foreign prose and foreign values harmless for the medium. The
    value is kept before the names, those before the title: a long title can be guessed.
    """
    state = state_of(notice)
    names = tuple(bare(name) or "-" for name in _names(notice))
    draft = Headline(
        state=state,
        title=prose(_title(notice)) or "-",
        count=_count(notice),
        names=names,
        value=cut(prose(_value(notice, state)), _VALUE_MOST, size),
    )
    room = most - len(draft.word) - 1
    if draft.value:
        room -= size(draft.value) + 2
    subject_room = max(room - size(draft.title) - 1, room // 2)
    names = _fitted(names, subject_room - len(draft.lead), size)
    subject = size(draft.lead + "@".join(names))
    title_room = room - subject - (1 if subject else 0)
    return Headline(state, cut(draft.title, title_room, size), draft.count, names, draft.value)


def one_line(notice: Notice) -> str:
    """The headline as plain text: what the outbox keeps of what was sent."""
    return str(headline(notice))


def state_of(notice: Notice) -> State:
    """The state of the group as this notice tells it.

    Alerts that are no longer known did not resolve for that alone.
    """
    if not notice.alerts and notice.delivery.firing and not notice.delivery.drill:
        return State.INFO
    return wording.state(notice.firing, notice.resolved, drill=notice.delivery.drill)


def worst(notice: Notice) -> Alert | None:
    """The alert that the headline speaks of; None if all are forgotten."""
    return wording.worst(notice.firing) or wording.worst(notice.resolved)


def route_line(notice: Notice, target: str) -> str:
    """``payments -> #pay-alerts``."""
    route = notice.route.rsplit(", ", 1)[0] or notice.receiver
    return f"{clean(route)} -> {clean(target)}"


def origin(notice: Notice, target: str) -> tuple[str, ...]:
    """Whose it is, where it comes from and how it got here: one short text each.

    `target` is the receiver's end: a channel, ``webhook``, ``terminal``.
    """
    alert = worst(notice)
    parts = [
        wording.owner(alert) if alert else "",
        wording.place(alert) if alert else "",
        route_line(notice, target),
        wording.group_id(notice.group.key),
        "may repeat" if notice.delivery.may_repeat else "",
    ]
    return tuple(part for part in parts if part)


def _title(notice: Notice) -> str:
    alert = worst(notice)
    if alert is None:
        # A delivery that outlived its alerts: the group's labels are all that is known.
        return clean(notice.group.labels.get("alertname", "")) or "alerts no longer known"
    first = wording.title(alert)
    others = {wording.title(other) for other in notice.alerts} - {first}
    return f"{first} and {len(others)} more" if others else first


def _count(notice: Notice) -> str:
    total = len(notice.alerts)
    if total < 2:
        return ""
    return f"{len(notice.firing) or total} of {total}"


def _names(notice: Notice) -> tuple[str, ...]:
    alert = worst(notice)
    if len(notice.alerts) == 1 and alert is not None:
        return wording.entity(alert)
    return wording.group_values(notice.group.labels)[:3]


def _value(notice: Notice, state: State) -> str:
    alert = worst(notice)
    if alert is None:
        return ""
    if not notice.firing:
        return lasted(notice)
    if state is State.STALE or alert.stale_since is not None:
        return no_data(alert, notice.now)
    value = wording.measured(alert.evidence)
    if value:
        return value if len(notice.alerts) == 1 else f"worst {value}"
    return wording.meaning(alert) or since(alert, notice.now)


def since(alert: Alert, now: float) -> str:
    """``since 03:12 UTC``."""
    return f"since {wording.clock(alert.starts_at, now)}"


def no_data(alert: Alert, now: float) -> str:
    """``no data since 03:20 UTC, last 1,368 s``."""
    at = alert.stale_since if alert.stale_since is not None else alert.updated_at
    last = wording.last_value(alert.evidence)
    return f"no data since {wording.clock(at, now)}" + (f", last {last}" if last else "")


def lasted(notice: Notice) -> str:
    """``lasted 31 min, peak 5 kills in 30 min``, of what resolved."""
    text = f"lasted {wording.duration(wording.lasted(notice.resolved, notice.now))}"
    peak = _worst_peak(notice.resolved)
    return f"{text}, {peak}" if peak else text


def _worst_peak(alerts: tuple[Alert, ...]) -> str:
    """Of one rule's alerts; peaks of different rules can't be compared."""
    known = [a.evidence for a in alerts if a.evidence.peak is not None]
    if not known or len({(a.rule, a.name) for a in alerts}) > 1:
        return ""
    falling = known[0].comparison.startswith("<")
    extreme = min if falling else max
    return wording.peak(extreme(known, key=lambda evidence: evidence.peak or 0.0))


def _fitted(names: tuple[str, ...], room: int, size: Callable[[str], int]) -> tuple[str, ...]:
    """Names cut so that all fit into `room` with an @ between; short ones keep whole."""
    left = room - max(len(names) - 1, 0)
    fitted = dict(enumerate(names))
    by_size = sorted(fitted, key=lambda i: size(names[i]))
    for done, i in enumerate(by_size):
        fitted[i] = cut(names[i], max(left // (len(names) - done), 1), size)
        left -= size(fitted[i])
    return tuple(fitted[i] for i in range(len(names)))
