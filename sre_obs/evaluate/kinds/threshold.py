"""A measure of each entity's documents against a limit.

A value over its limit that more samples can't undo (a count, sum, cardinality or maximum
from above, a minimum from below) is true at once, whatever the stream does. Everything
else rests on samples that might be missing: it is true, or false for an entity that was
true, only while the stream is alive and, on metric streams, the window covered.

The limit is pushed to the server, so an entity that is fine has no row. Of the few that
were true and have none, one more request asks whether they still have documents: under
the limit, or gone. On log and trace streams a count, sum or cardinality of nothing is 0,
and that is under the limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sre_obs.evaluate.kinds.stream import (
    COVERAGE,
    Judgement,
    Steps,
    Stream,
    life,
    sampled,
    slots,
    stream_of,
    window,
)
from sre_obs.evaluate.needs import WHOLE, Entities, Limit, Measure, Need, Row, Span
from sre_obs.evaluate.states import Truth, Verdict
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import Comparison, Function, NoData, Rule, Threshold

# Above so many it is cheaper to ask for all entities than to name them.
NAMED = 500
_ABOVE = (Comparison.GT, Comparison.GTE)
_GROWING = (Function.COUNT, Function.CARDINALITY, Function.SUM, Function.MAX)
_ZERO = (Function.COUNT, Function.CARDINALITY, Function.SUM)


def certain(threshold: Threshold) -> bool:
    """Whether more samples could not undo what is true."""
    if threshold.comparison in _ABOVE:
        return threshold.function in _GROWING
    return threshold.function is Function.MIN


def need(rule: Rule, at: float) -> Entities:
    """What the rule asks for."""
    limit = rule.threshold
    pushed = Limit(limit.comparison, limit.limit)
    # Any group has a document, and a count of at least one needs no selector.
    trivial = limit == Threshold(unit=limit.unit)
    return Entities(
        window(rule, at),
        (rule.query.dsl, *_measured(limit)),
        rule.group_by,
        Measure(limit.function, limit.field, limit.percent),
        None if trivial or not rule.group_by else pushed,
    )


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity whose measure meets the limit."""
    main_need = need(rule, at)
    main, newest = yield [main_need, life(rule, at)]
    stream = stream_of(rule, at, newest.newest)
    rows = {row.key: row for row in main.rows}
    sorted_out = _Sorted(rule, stream, rows, known)
    verdicts = sorted_out.verdicts
    questions = _questions(rule, main_need.span, sorted_out)
    if questions:
        presence, *coverage = yield questions
        present = {row.key: row for row in presence.rows}
        whole = coverage[0].rows[0].covered if coverage else 1.0
        for row in sorted_out.doubtful:
            verdicts.append(_true_if_covered(row, present.get(row.key)))
        for key in sorted_out.missing:
            verdicts.append(_false_if_covered(key, rows.get(key), present.get(key), whole))
    return Judgement(
        tuple(verdicts),
        stream.held(rule),
        stream.newest,
        main,
        main_need.filters,
        main_need.span,
        len(main.rows),
    )


class _Sorted:
    """Entities by what can be said of them after the first answer."""

    def __init__(
        self,
        rule: Rule,
        stream: Stream,
        rows: Mapping[str, Row],
        known: Mapping[str, EntityState],
    ) -> None:
        self.verdicts: list[Verdict] = []
        self.doubtful: list[Row] = []  # true, if the window is covered
        self.missing: list[str] = []  # false, if the window is covered
        limit = rule.threshold
        told: set[str] = set()
        for row in rows.values():
            if row.value is None or not limit.comparison.holds(row.value, limit.limit):
                continue
            told.add(row.key)
            if certain(limit):
                self.verdicts.append(_verdict(row, Truth.TRUE))
            elif stream.silent:
                told.discard(row.key)
            elif sampled(rule):
                self.doubtful.append(row)
            else:
                self.verdicts.append(_verdict(row, Truth.TRUE))
        zero = limit.function in _ZERO and not sampled(rule)
        for key in known:
            if key in told:
                continue
            if stream.silent:
                self.verdicts.append(_silent(rule, key))
            elif zero:
                value = rows[key].value if key in rows else 0.0
                self.verdicts.append(Verdict(key, Truth.FALSE, value=value or 0.0))
            else:
                self.missing.append(key)
        # Of a rule for the whole stream it is worth saying that it can't be judged, even
        # if it never was true.
        whole = not rule.group_by and WHOLE not in told and WHOLE not in known
        if whole and sampled(rule) and not stream.silent and not certain(limit):
            self.missing.append(WHOLE)


def _questions(rule: Rule, span: Span, found: _Sorted) -> Sequence[Need]:
    asked = [*(row.key for row in found.doubtful), *found.missing]
    if not asked:
        return []
    among = tuple(sorted(asked)) if rule.group_by and len(asked) <= NAMED else None
    presence = Entities(
        span, _measured(rule.threshold), rule.group_by, slots=slots(rule), among=among
    )
    if rule.group_by and found.missing and sampled(rule):
        return [presence, Entities(span, slots=slots(rule))]
    return [presence]


def _true_if_covered(row: Row, present: Row | None) -> Verdict:
    covered = present.covered if present is not None else 0.0
    return _verdict(row, Truth.TRUE if covered >= COVERAGE else Truth.INSUFFICIENT)


def _false_if_covered(key: str, row: Row | None, present: Row | None, whole: float) -> Verdict:
    value = row.value if row is not None else None
    gone = present is None or present.count == 0
    covered = whole if present is None else present.covered
    if gone and key == WHOLE:
        # The stream lives and has nothing of this kind: there is no second look at it.
        covered = 1.0
    if covered < COVERAGE:
        return Verdict(key, Truth.INSUFFICIENT, value=value)
    reason = EndReason.GONE if gone else EndReason.UNDER_LIMIT
    return Verdict(key, Truth.FALSE, value=value, ended=reason, seen=not gone)


def _silent(rule: Rule, key: str) -> Verdict:
    if rule.no_data is NoData.RESOLVE:
        return Verdict(key, Truth.FALSE, ended=EndReason.NO_DATA, seen=False)
    return Verdict(key, Truth.STALE, seen=False)


def _verdict(row: Row, truth: Truth) -> Verdict:
    return Verdict(row.key, truth, row.entity, row.value, row.count)


def _measured(threshold: Threshold) -> tuple[Mapping[str, Any], ...]:
    return ({"exists": {"field": threshold.field}},) if threshold.field else ()
