"""What came of a case against what its file expects: each difference in two lines."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from sre_obs.app.usecases.rule_tests.play import Episode, Played, until_of
from sre_obs.content.duration import format_duration
from sre_obs.content.mistakes import shown
from sre_obs.content.tests.suite import Case, Expected
from sre_obs.evaluate.alerts import RESERVED, label_names
from sre_obs.model.problem import Location
from sre_obs.model.rule import Rule

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """What was expected and what came instead; `place` is what says so in the test file.
    `missing`: an alert that did not come, of which the nearest value helps."""

    place: Location
    expected: str
    got: str
    missing: bool = False


def differences(rule: Rule, case: Case, played: Played, start: float) -> list[Difference]:
    """Each difference; none where the case passes."""
    telling = Telling(rule, start)
    found: list[Difference] = []
    left = list(case.expected)
    episodes = list(played.episodes)
    for judge in (_same, _like):
        for expected in list(left):
            fitting = [e for e in episodes if telling.fits(expected, e)]
            fitting.sort(key=lambda e: abs(e.fires - expected.fires))
            episode = next((e for e in fitting if judge(expected, e)), None)
            if episode is None:
                continue
            left.remove(expected)
            episodes.remove(episode)
            if not _same(expected, episode):
                wanted, got = telling.both(expected, episode)
                found.append(Difference(expected.location, wanted, got))
    while left or episodes:
        expected_ = left.pop(0) if left else None
        other = episodes.pop(0) if episodes else None
        wanted = telling.expected(expected_) if expected_ is not None else "nothing"
        got = telling.episode(other) if other is not None else "nothing"
        if expected_ is not None:
            got = "; ".join((got, *telling.unknown(expected_, other)))
        place = expected_.location if expected_ is not None else case.location
        found.append(Difference(place, wanted, got, missing=other is None))
    wrong = played.error
    end = until_of(rule, case, start)
    for stand in case.stands:
        if stand.at > end + _CLOSE:
            got = f"no run: the case ends at {telling.at(end)}"
            found.append(
                Difference(stand.location, f"{stand.outcome} at {telling.at(stand.at)}", got)
            )
            continue
        outcome = played.stand(stand.at)
        if outcome == stand.outcome == "misconfigured":
            wrong = ""
        if outcome != stand.outcome:
            got = f"{outcome or 'no run'} at {telling.at(stand.at)}"
            found.append(
                Difference(stand.location, f"{stand.outcome} at {telling.at(stand.at)}", got)
            )
    if wrong:
        at = telling.at(played.wrong_at)
        found.append(Difference(case.location, "a rule that works", f"{wrong}, at {at}"))
    return found


def _part(some: Mapping[str, str], whole: Mapping[str, str], known: Container[str]) -> bool:
    # A field that no document has is shown as a dash; an empty label is none at all. But what
    # no alert of the rule can have is not empty, it is misspelt.
    return all(name in known and whole.get(name, "") == value for name, value in some.items())


def _like(expected: Expected, episode: Episode) -> bool:
    return True


def _same(expected: Expected, episode: Episode) -> bool:
    return (
        _near(expected.fires, episode.fires)
        and (expected.resolves is None) == (episode.resolves is None)
        and (expected.resolves is None or _near(expected.resolves, episode.resolves))
        and expected.ended in (None, episode.ended)
        and (expected.starts is None or _near(expected.starts, episode.starts))
        and (expected.value is None or _equal(expected.value, episode.value))
        and expected.severity in (None, episode.severity)
        and (expected.levels is None or list(expected.levels) == episode.levels)
        and all(
            name in episode.text and episode.text[name].strip() == text.strip()
            for name, text in expected.text.items()
        )
    )


def _near(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) < 0.001


def _equal(one: float, other: float | None) -> bool:
    return other is not None and math.isclose(one, other, rel_tol=_CLOSE, abs_tol=1e-12)


class Telling:
    """Alerts in words."""

    def __init__(self, rule: Rule, start: float) -> None:
        self._rule = rule
        self._start = start

    def at(self, seconds: float) -> str:
        """03:12:00 (12m)"""
        clock = datetime.fromtimestamp(self._start + seconds, UTC).strftime("%H:%M:%S")
        return f"{clock} ({format_duration(seconds)})"

    def both(self, expected: Expected, episode: Episode) -> tuple[str, str]:
        """The two, with the facts in the same order."""
        got = [self._begin(episode.severity, episode.entity if expected.entity else {})]
        got[0] += f" at {self.at(episode.fires)}"
        wanted = [self.expected(expected)]
        if expected.resolves is not None or episode.resolves is not None:
            got.append(self._until(episode.resolves))
            if expected.resolves is None:
                wanted.append(self._until(None))
        if expected.ended is not None:
            got.append(f"ended: {episode.ended or 'not'}")
        if expected.starts is not None:
            got.append(f"since {self.at(episode.starts)}")
        if expected.value is not None:
            got.append(f"value {_number(episode.value)}")
        if expected.levels is not None:
            got.append(self._levels([(c.at, c.severity) for c in episode.levels]))
        for name in expected.text:
            got.append(f"{name} {episode.text.get(name, '').strip()!r}")
        told = [
            _unknown(name, "among the alert's texts", episode.text)
            for name in expected.text
            if name not in episode.text
        ]
        return ", ".join(wanted), "; ".join((", ".join(got), *told))

    def expected(self, expected: Expected) -> str:
        """What an expectation says."""
        entity = expected.entity or expected.labels
        parts = [self._begin(expected.severity or "", entity) + f" at {self.at(expected.fires)}"]
        if expected.resolves is not None:
            parts.append(self._until(expected.resolves))
        if expected.ended is not None:
            parts.append(f"ended: {expected.ended}")
        if expected.starts is not None:
            parts.append(f"since {self.at(expected.starts)}")
        if expected.value is not None:
            parts.append(f"value {_number(expected.value)}")
        if expected.levels is not None:
            parts.append(self._levels([(c.at, c.severity) for c in expected.levels]))
        parts += [f"{name} {text.strip()!r}" for name, text in expected.text.items()]
        return ", ".join(parts)

    def episode(self, episode: Episode) -> str:
        """An alert that nobody expected."""
        parts = [self._begin(episode.severity, episode.entity) + f" at {self.at(episode.fires)}"]
        if episode.resolves is not None:
            parts.append(self._until(episode.resolves))
        parts.append(f"value {_number(episode.value)}")
        return ", ".join(parts)

    def unknown(self, expected: Expected, episode: Episode | None) -> list[str]:
        """Names by which an expectation tells an alert, and that no alert of the rule has."""
        fields = label_names(self._rule)
        told = [
            _unknown(name, "in the rule's group_by", fields)
            for name in expected.entity
            if name not in fields
        ]
        if episode is not None:
            labels = self._labels(episode)
            told += [
                _unknown(name, "among the alert's labels", labels)
                for name in expected.labels
                if name not in labels
            ]
        return told

    def fits(self, expected: Expected, episode: Episode) -> bool:
        """Whether an expectation can mean this alert, by its entity and labels."""
        entity = _part(expected.entity, episode.entity, self._rule.group_by)
        return entity and _part(expected.labels, episode.labels, self._labels(episode))

    def _labels(self, episode: Episode) -> set[str]:
        """The labels that the alert has or, where they are empty, could have."""
        names = label_names(self._rule).values()
        return {*names, *RESERVED, *self._rule.labels, *episode.labels}

    def _begin(self, severity: str, entity: Mapping[str, str]) -> str:
        name = "/".join(entity.values())
        return " ".join(part for part in (severity or self._rule.severity, name) if part)

    def _until(self, seconds: float | None) -> str:
        return "not resolved" if seconds is None else f"until {self.at(seconds)}"

    def _levels(self, changes: Sequence[tuple[float, str]]) -> str:
        told = [f"{severity} at {self.at(at)}" for at, severity in changes]
        return f"then {', '.join(told)}" if told else "no other level"


def _unknown(name: str, where: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"{shown(name)} is not {where}" + (f", write {near[0]}" if near else "")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.12g}"
