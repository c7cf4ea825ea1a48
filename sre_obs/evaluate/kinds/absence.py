"""A stream, or an entity seen before, that stopped.

Without `group_by` the rule speaks of the stream (or the documents that match): silence is
the trouble itself. With it, of each entity: those seen while the rule ran, remembered
until `forget_after`, and those that the rule declares. A silent stream then says nothing
of its entities: it does not fire each of them, it holds them (unless `no_data` is alert:
then they are the streams, and no one else is there to tell of them).

Late documents change nothing: windows are by `@timestamp`, at times from the schedule.
"""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.evaluate.kinds.stream import (
    COVERAGE,
    Judgement,
    Steps,
    end,
    life,
    sampled,
    slots,
    stream_of,
    window,
)
from sre_obs.evaluate.needs import WHOLE, Entities, Span, covered, entity_of, key_of
from sre_obs.evaluate.states import BEGUN, Truth, Verdict
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState, Phase
from sre_obs.model.rule import NoData, Rule

# An entity that is fine is written anew so many times within its `forget_after`, not at
# every evaluation: 100,000 rows a minute would say nothing new.
FRESH = 24


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for the whole, or for each known entity, without documents in the window."""
    return _entities(rule, at, known) if rule.group_by else _whole(rule, at, known)


def _whole(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    need = Entities(window(rule, at), (rule.query.dsl,))
    main, newest = yield [need, life(rule, at)]
    # Silent or not, the question is answered: nothing is held, nothing is stale.
    row = main.rows[0]
    if row.count:
        verdict = Verdict(WHOLE, Truth.FALSE, count=row.count)
    else:
        verdict = Verdict(WHOLE, Truth.TRUE, value=_silence(rule, known.get(WHOLE), at), seen=False)
    return Judgement((verdict,), False, newest.newest, main, need.filters, _before(rule, at), 1)


def _entities(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    need = Entities(window(rule, at), (rule.query.dsl,), rule.group_by)
    main, newest = yield [need, life(rule, at)]
    stream = stream_of(rule, at, newest.newest)
    seen = {row.key for row in main.rows}
    verdicts = [
        Verdict(row.key, Truth.FALSE, row.entity, count=row.count)
        for row in main.rows
        if not _fresh(rule, known.get(row.key), at)
    ]
    declared = _declared(rule)
    missing = [key for key in {**known, **declared} if key not in seen]
    truth = Truth.TRUE
    blind = stream.silent and rule.no_data is not NoData.ALERT
    if blind:
        truth = Truth.FALSE if rule.no_data is NoData.RESOLVE else Truth.STALE
    elif not stream.silent and missing and sampled(rule.index):
        (whole,) = yield [Entities(need.span, figures=(slots(need.span),))]
        if covered(whole.rows[0]) < COVERAGE:
            truth = Truth.INSUFFICIENT
    for key in missing:
        state = known.get(key)
        if not blind and key not in declared and _forgotten(rule, state, at):
            gone = EndReason.GONE
            verdicts.append(Verdict(key, Truth.FALSE, ended=gone, seen=False, forget=True))
        elif truth is Truth.TRUE:
            entity = state.entity if state is not None else declared[key]
            silence = _silence(rule, state, at)
            verdicts.append(Verdict(key, truth, entity, silence, seen=False))
        elif state is not None:
            verdicts.append(Verdict(key, truth, ended=EndReason.NO_DATA, seen=False))
    return Judgement(
        tuple(verdicts),
        stream.held(rule),
        stream.newest,
        main,
        need.filters,
        _before(rule, at),
        len(seen) + len(missing),
    )


def _declared(rule: Rule) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for declared in rule.entities:
        values = [declared.get(name) for name in rule.group_by]
        found[key_of(values)] = entity_of(rule.group_by, values)
    return found


def _silence(rule: Rule, state: EntityState | None, at: float) -> float:
    """Seconds without documents, to within one interval: it was in the window before."""
    if state is None or state.phase not in BEGUN:
        return rule.window
    # A clock that was set back does not make it less than nothing.
    return rule.window + max(at - state.since, 0.0)


def _fresh(rule: Rule, state: EntityState | None, at: float) -> bool:
    # One with a history has a run to note: it is forgotten with its last change.
    if state is None or state.phase is not Phase.OK or state.history:
        return False
    return 0.0 <= at - state.last_seen_at < rule.forget_after / FRESH


def _forgotten(rule: Rule, state: EntityState | None, at: float) -> bool:
    return state is not None and at - state.last_seen_at >= rule.forget_after


def _before(rule: Rule, at: float) -> Span:
    """Where the last documents of what is silent are to be found."""
    return Span(rule.index, end(rule, at) - rule.forget_after, end(rule, at))
