"""Silences: the list; and the form, what it would hide, and when that must be spelled out."""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from typing import Any, Protocol

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.app.daemon.web.firing import fires_now
from sre_obs.content.duration import format_duration, parse_duration
from sre_obs.model.alert import Alert
from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher
from sre_obs.model.silence import Silence, SilenceState
from sre_obs.notify import wording
from sre_obs.query.matchers import compile_matchers, format_matcher, parse_matchers

WEEK = 7 * 86_400.0
# The preview looks back over so many episodes; with more, it says "or more".
EPISODES = 2_000
ROWS = 100
DURATIONS = ("1h", "2h", "8h", "09:00", "own")
_DEFAULT = "2h"
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_FARTHEST = 14 * 60  # minutes that any clock is away from UTC


class Fields(Protocol):
    """A query string or a posted form."""

    def getlist(self, key: Any) -> list[Any]:
        """All values of one name."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody has filled in so far. `offered` are matchers, `chosen` those of them
    that stay; `zone` is how many minutes the browser's clock is ahead of UTC."""

    offered: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    extra: str = ""
    duration: str = _DEFAULT
    own: str = ""
    by: str = ""
    comment: str = ""
    count: str = ""
    shown: str = ""  # the count that the form showed
    zone: int = 0

    @property
    def until(self) -> str:
        """The duration or the time of day that was chosen."""
        return self.own if self.duration == "own" else self.duration


@dataclass(frozen=True, slots=True)
class Preview:
    """What the form would do as it stands. `guard` says why the count must be typed."""

    count: int
    names: str
    week: str  # "11 in the last 7 d"
    week_names: str
    guard: str
    ends: words.Moment | None
    local: str
    command: str
    wrong: str


def silences(desk: Desk) -> list[dict[str, Any]]:
    """Those in force first, the next to end on top; then those to come, then the ended."""
    now = desk.clock.now()
    order = [SilenceState.ACTIVE, SilenceState.PENDING, SilenceState.EXPIRED]

    def rank(silence: Silence) -> tuple[int, float]:
        state = silence.state(now)
        ended = state is SilenceState.EXPIRED
        return order.index(state), -silence.ends_at if ended else silence.ends_at

    hidden = Counter(
        silence.id
        for alert in fires_now(desk)
        for silence in desk.engine.silences.silenced_by(alert.labels, now, alert.fingerprint)
    )
    chosen = sorted(desk.engine.ledger.silences.values(), key=rank)[:ROWS]
    return [silence_line(s, hidden[s.id], now) for s in chosen]


def silence_line(silence: Silence, hides: int, now: float) -> dict[str, Any]:
    """A silence in a list, with how much it hides now."""
    state = silence.state(now)
    return {
        "id": silence.id,
        "state": str(state),
        "matchers": [format_matcher(m) for m in silence.matchers],
        "by": silence.created_by,
        "comment": silence.comment,
        "from": words.moment(silence.starts_at, now),
        "until": words.moment(silence.ends_at, now),
        "hides": hides,
        "over": state is SilenceState.EXPIRED,
    }


def read(fields: Fields, author: str = "") -> Form:
    """The form as given. Matchers that come in one text are taken apart; what is none is
    kept as it was typed, for `preview` to say what is wrong with it."""
    chosen: list[str] = []
    typed: list[str] = []
    for text in map(str, fields.getlist("m")):
        try:
            chosen += [format_matcher(m) for m in parse_matchers(text)]
        except QueryError:
            typed.append(text)
    offered = [str(text) for text in fields.getlist("offered")]
    typed += [text for text in map(str, fields.getlist("extra")) if text.strip()]
    duration = _last(fields, "for") or _DEFAULT
    own = _last(fields, "own").strip()
    if duration not in DURATIONS:  # a link may say for=3d
        duration, own = "own", duration
    zone = _last(fields, "zone")
    minutes = int(zone) if re.fullmatch(r"-?\d{1,3}", zone) else 0
    return Form(
        offered=tuple(dict.fromkeys((*offered, *chosen))),
        chosen=tuple(dict.fromkeys(chosen)),
        extra=", ".join(typed),
        duration=duration,
        own=own,
        by=_last(fields, "by").strip() or author,
        comment=_last(fields, "comment").strip(),
        count=_last(fields, "count").strip(),
        shown=_last(fields, "shown").strip(),
        zone=minutes if abs(minutes) <= _FARTHEST else 0,
    )


def silence_of(form: Form, id_: str, now: float) -> Silence:
    """The silence that the form asks for. Raises QueryError, or ValueError in words."""
    return Silence(
        id=id_,
        matchers=_matchers(form),
        starts_at=now,
        ends_at=end_of(form.until, now, form.zone),
        created_by=form.by,
        comment=form.comment,
        updated_at=now,
    )


def end_of(text: str, now: float, zone: int = 0) -> float:
    """``2h`` from now, or the next time a clock `zone` minutes ahead of UTC shows ``09:00``.

    Raises ValueError in words.
    """
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            raise ValueError(f"{error}, or a time of day such as 17:30") from None
        if seconds <= 0:
            raise ValueError("it ends before it starts")
        return now + seconds
    here = words.utc(now)
    if here is None:
        raise ValueError("the clock is wrong: give a duration")
    there = here.astimezone(timezone(timedelta(minutes=zone)))
    hour, minute = map(int, clock.groups())
    then = there.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (then if then > there else then + timedelta(days=1)).timestamp()


def preview(form: Form, desk: Desk, episodes: Sequence[Alert]) -> Preview:
    """What the form would hide now and would have hidden in the last week (`episodes` are
    the store's, newest first), when it ends, and the same as a command."""
    now = desk.clock.now()
    blank = Preview(0, "", "", "", "", None, "", "", "")
    try:
        matchers = _matchers(form)
        matches = compile_matchers(matchers)
    except QueryError as error:
        return replace(blank, wrong=_where(error))
    try:
        ends_at = end_of(form.until, now, form.zone)
    except ValueError as error:
        return replace(blank, wrong=str(error))
    shown = replace(
        blank,
        ends=words.moment(ends_at, now),
        local=words.local(ends_at, form.zone) if form.zone else "",
    )
    if not matchers:
        return replace(shown, wrong="it has no matchers: it would silence everything")
    firing = fires_now(desk)
    hidden = [alert for alert in firing if matches(alert.labels)]
    past = [a for a in episodes if a.fired_at > now - WEEK and matches(a.labels)]
    more = " or more" if len(episodes) >= EPISODES else ""
    return replace(
        shown,
        count=len(hidden),
        names=words.named(map(_named, wording.worst_first(hidden)[:1000])),
        week=f"{len(past):,}{more} in the last 7 d",
        week_names=words.named(a.name for a in past),
        guard=guard(matchers, len(hidden), len(firing)),
        command=_command(form, matchers, ends_at - now),
    )


def guard(matchers: Sequence[Matcher], hides: int, firing: int) -> str:
    """Why whoever sets this must type how many it hides; empty if they need not.

    So that one stray matcher does not switch the pager off.
    """
    if matchers and all(m.name == "severity" for m in matchers):
        return "it goes by severity alone"
    if len(matchers) == 1:
        return "it has one matcher"
    if hides > 1 and hides * 2 > firing:
        return "it hides more than half of what fires"
    return ""


def counted(form: Form, hides: int) -> bool:
    """Whether the count that was typed is right: of now, or of the form as it was shown,
    unless that has doubled since."""
    if form.count == str(hides):
        return True
    shown = int(form.shown) if re.fullmatch(r"\d{1,9}", form.shown) else -1
    return form.count == form.shown and hides <= 2 * shown


def _matchers(form: Form) -> tuple[Matcher, ...]:
    extra = parse_matchers(form.extra)
    return tuple(dict.fromkeys([*(m for t in form.chosen for m in parse_matchers(t)), *extra]))


def _command(form: Form, matchers: Iterable[Matcher], seconds: float) -> str:
    length = form.until
    if _CLOCK.fullmatch(length):
        length = format_duration(math.ceil(seconds / 60) * 60)
    parts = ["sre-obs", "silence", "add", "-d", length]
    if form.by:
        parts += ["-a", form.by]
    parts += ["-c", form.comment or "why", *map(format_matcher, matchers)]
    return shlex.join(parts)


def _named(alert: Alert) -> str:
    entity = "@".join(wording.entity(alert))
    return f"{alert.name} {entity}" if entity else alert.name


def _where(error: QueryError) -> str:
    remedy = f"; {error.remedy}" if error.remedy else ""
    return f"{error.message} (at character {error.offset + 1}){remedy}"


def _last(fields: Fields, name: str) -> str:
    values = fields.getlist(name)
    return str(values[-1]) if values else ""
