"""What the log says of alerts, receivers, rules and sources: a line for each change.

What goes on as it was is not said again, and of many changes at once only how many.
Words of others are made one short line here, whatever form the log has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from sre_obs.model.alert import Alert
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.notification import Delivery, DeliveryKind
from sre_obs.model.outcome import Answer, Verdict
from sre_obs.model.rule import Rule
from sre_obs.notify import wording
from sre_obs.notify.text import clean, cut
from sre_obs.route.dedup import Reason

# Of more changes than this in one step only their number is said.
MOST = 20
# What others have written is cut to so many characters.
LONGEST = 300

_FIRES, _RESOLVED, _STALE = "alert fires", "alert resolved", "alert is stale"
_WORSE = "alert is worse"
_UNWELL = (Outcome.MISCONFIGURED, Outcome.STALE)
_DIGITS = re.compile(r"\d+")
_alerts = structlog.get_logger("alerts")
_deliver = structlog.get_logger("deliver")
_evaluate = structlog.get_logger("evaluate")


class Troubles:
    """What is wrong with each of several things, to be said once for each reason.

    A reason that comes again before all is well is no news: four tries under way at once
    may fail in two ways by turns.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._said: dict[str, set[tuple[str, ...]]] = {}

    def wrong(self, name: str, reason: tuple[str, ...], now: float) -> bool:
        """Whether that is news. Numbers in a reason don't count: an age grows."""
        self._since.setdefault(name, now)
        said = self._said.setdefault(name, set())
        reason = tuple(_DIGITS.sub("", part) for part in reason)
        # So many ways to fail are enough to know of.
        if reason in said or len(said) >= MOST:
            return False
        said.add(reason)
        return True

    def well(self, name: str, now: float) -> float | None:
        """How many seconds something was wrong; None if nothing was."""
        self._said.pop(name, None)
        since = self._since.pop(name, None)
        return None if since is None else max(now - since, 0.0)

    def keep(self, names: Collection[str]) -> None:
        """Forget all others: they are no more."""
        for name in [name for name in self._since if name not in names]:
            del self._since[name], self._said[name]


class Receivers:
    """Says what receivers answer; one per daemon."""

    def __init__(self) -> None:
        self._troubles = Troubles()

    def answered(
        self, delivery: Delivery, answer: Answer, now: float, open_: Iterable[Delivery]
    ) -> None:
        """A try was answered, or its answer was lost. `open_` are the deliveries that are
        not done; read only when the receiver works again."""
        who = {"receiver": clean(delivery.receiver), "integration": clean(delivery.integration)}
        match answer.verdict:
            case Verdict.DELIVERED:
                self._works(delivery, who, now, open_)
            case Verdict.CONTENT if delivery.plain:
                _deliver.warning(
                    "given up: refused in its plain form too",
                    **who,
                    **_why(answer),
                    summary=_short(delivery.summary),
                )
            case Verdict.CONTENT | Verdict.MISSING:
                pass  # it is told in another form at once
            case _:
                reason = (answer.verdict, answer.failure, answer.remedy)
                if self._troubles.wrong(delivery.integration, reason, now):
                    _deliver.warning("receiver fails", **who, **_why(answer))

    def keep(self, integrations: Collection[str]) -> None:
        """Only these are left."""
        self._troubles.keep(integrations)

    def _works(
        self, delivery: Delivery, who: Mapping[str, str], now: float, open_: Iterable[Delivery]
    ) -> None:
        lasted = self._troubles.well(delivery.integration, now)
        if lasted is not None:
            waited = sum(d.integration == delivery.integration for d in open_)
            _deliver.info("receiver works again", **who, seconds=round(lasted), waited=waited)
        # What repeats says nothing new, nor does the edit of a message beside the answer to
        # it that all is over.
        edited = (delivery.kind, delivery.reason) == (DeliveryKind.UPDATE, Reason.ALL_RESOLVED)
        if delivery.reason != Reason.REPEAT and not edited:
            summary = _short(delivery.summary)
            _deliver.info("told", **who, reason=delivery.reason, summary=summary)


class Rules:
    """Says which rules can't do their work; one per daemon."""

    def __init__(self) -> None:
        self._troubles = Troubles()

    def ran(self, runs: Sequence[tuple[Rule, RuleRun]], now: float) -> None:
        """How rules stand after a round."""
        worse: list[tuple[Rule, RuleRun]] = []
        better: list[tuple[Rule, float]] = []
        for rule, run in runs:
            if run.outcome in _UNWELL:
                if self._troubles.wrong(rule.id, (run.outcome, run.error), now):
                    worse.append((rule, run))
            elif (lasted := self._troubles.well(rule.id, now)) is not None:
                better.append((rule, lasted))
        for rule, run in worse[:MOST]:
            _evaluate.warning(
                f"rule is {run.outcome}",
                **_of(rule),
                error=_short(run.error),
                remedy=_short(run.remedy),
            )
        if len(worse) > MOST:
            _evaluate.warning("more rules are misconfigured or stale", count=len(worse) - MOST)
        for rule, lasted in better[:MOST]:
            _evaluate.info("rule is well again", **_of(rule), seconds=round(lasted))
        if len(better) > MOST:
            _evaluate.info("more rules are well again", count=len(better) - MOST)

    def keep(self, rules: Collection[str]) -> None:
        """Only these are left."""
        self._troubles.keep(rules)


class Sources:
    """Says which sources can't be read; one per daemon."""

    def __init__(self) -> None:
        self._troubles = Troubles()

    def read(self, name: str, error: str, remedy: str, now: float) -> None:
        """How a source stands after a round; `error` is empty when it could be read."""
        if error:
            if self._troubles.wrong(name, (error,), now):
                _evaluate.error(
                    "source can't be read",
                    source=name,
                    error=_short(error),
                    remedy=_short(remedy),
                )
        elif (lasted := self._troubles.well(name, now)) is not None:
            _evaluate.info("source can be read again", source=name, seconds=round(lasted))


def tell(changed: Iterable[Alert], known: Mapping[str, Alert], now: float) -> None:
    """Say which alerts begin to fire, get worse, resolve, or become stale. `known` is how
    they were."""
    found = ((_news(alert, known.get(alert.fingerprint), now), alert) for alert in changed)
    _tell([(word, alert) for word, alert in found if word])


def tell_expired(alerts: Iterable[Alert]) -> None:
    """Say which alerts have ended since nobody sent them any more."""
    _tell([(_RESOLVED, alert) for alert in alerts])


def _tell(news: Sequence[tuple[str, Alert]]) -> None:
    if len(news) > MOST:
        counts = Counter(word for word, _ in news)
        names = Counter(alert.name for _, alert in news).most_common(3)
        _alerts.info(
            "many alerts changed at once",
            fire=counts[_FIRES],
            resolved=counts[_RESOLVED],
            stale=counts[_STALE],
            worse=counts[_WORSE],
            most=", ".join(f"{_short(name)} ({count})" for name, count in names),
        )
        return
    for word, alert in news:
        about = {
            "severity": str(wording.severity(alert)).lower(),
            "entity": _short(" ".join(wording.entity(alert))),
            "value": _short(wording.measured(alert.evidence)),
            "reason": wording.ENDED[alert.ended] if word == _RESOLVED else "",
            "shadow": "told to nobody" if alert.shadow else "",
        }
        _alerts.info(word, alert=_short(alert.name), **_said(about))


def _news(alert: Alert, before: Alert | None, now: float) -> str:
    # An end that was promised is none before it was noticed: it may be pushed away late.
    fired = before is not None and before.ended is None
    if not alert.firing(now):
        return _RESOLVED if fired else ""
    if not fired:
        return _FIRES
    if before is not None and alert.level > before.level:
        return _WORSE
    if alert.stale_since is not None and before is not None and before.stale_since is None:
        return _STALE
    return ""


def _why(answer: Answer) -> dict[str, str]:
    why = {
        "verdict": str(answer.verdict),
        "failure": str(answer.failure),
        "detail": _short(answer.detail),
        "remedy": _short(answer.remedy),
    }
    return _said(why)


def _said(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}


def _of(rule: Rule) -> dict[str, str]:
    return {"rule": rule.id, "location": f"{rule.location.file}:{rule.location.line}"}


def _short(text: str) -> str:
    return cut(clean(text), LONGEST)
