"""One evaluation: the rules due at one time on one source, from needs to changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sre_obs.evaluate import alerts as making
from sre_obs.evaluate import evidence
from sre_obs.evaluate.history import flapping
from sre_obs.evaluate.kinds import KINDS, Judgement, Steps
from sre_obs.evaluate.needs import Answer, Need
from sre_obs.evaluate.plan import ask
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.evaluate.states import ALERTING, Truth, Verdict, step
from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import Changes
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import EntityState, Outcome, Phase, RuleRun
from sre_obs.model.rule import Rule

# Of a rule with more alerts than this, one whose value alone moved is written again only
# after so many seconds: a flood must not become as many rows at every evaluation.
FLOOD = 1_000
CALM = 300.0

_NOBODY: Mapping[str, EntityState] = {}


def evaluate(
    rules: Sequence[Rule],
    at: float,
    source: Source,
    memory: Mapping[str, Mapping[str, EntityState]],
    renderer: Renderer,
    *,
    timer: Callable[[], float],
    alerts: Mapping[str, Alert] | None = None,
    unknown_fields: Mapping[str, Mapping[tuple[str, ...], Sequence[str]]] | None = None,
) -> Changes:
    """What changes by evaluating `rules`, all due at `at`, on `source`. Blocks.

    `memory`: rule id -> entity key -> state, as the last evaluation left it.
    `alerts`: fingerprint -> alert as it stands (only looked up, also from another thread);
    what did not change is not returned, and documents once found are kept. Without it
    alerts are made anew from the entities.
    `unknown_fields`: rule id -> index -> fields that it has not: misconfigured, not searched.
    """
    known = alerts if alerts is not None else {}
    unknown = unknown_fields or {}
    works = [_Work(rule, at, memory.get(rule.id, _NOBODY), known) for rule in rules]
    for work in works:
        if work.rule.id in unknown:
            work.fail(_unknown(work.rule, unknown[work.rule.id]))
    _judge(works, source, timer)
    for work in works:
        began = timer()
        work.settle()
        work.seconds += timer() - began
    _look_up(works, source, timer)
    drafts = [draft for work in works for draft in work.drafts()]
    made, wrong = making.annotate(drafts, renderer)
    return Changes(
        alerts=tuple(alert for alert in made if not _same(alert, known.get(alert.fingerprint))),
        entities=tuple(state for work in works for state in work.changed),
        # What is forgotten is taken last: not what came back under the same key.
        forgotten_entities=tuple(
            (work.rule.id, key) for work in works for key in work.forgotten if key not in work.after
        ),
        runs=tuple(work.run(wrong.get(work.rule.id, "")) for work in works),
    )


def unreadable(run: RuleRun) -> bool:
    """Whether a run of `evaluate` could not search: its source's fault, not a silent stream
    (whose search was answered) and not the rule's."""
    return run.outcome is Outcome.STALE and not run.answer


@dataclass(slots=True)
class _Work:
    """One rule on its way through the evaluation."""

    rule: Rule
    at: float
    known: Mapping[str, EntityState]
    alerts: Mapping[str, Alert]
    steps: Steps | None = None
    judgement: Judgement | None = None
    error: SourceError | None = None
    seconds: float = 0.0
    after: dict[str, EntityState] = field(default_factory=dict)
    changed: list[EntityState] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    over: list[tuple[EntityState, EndReason]] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    documents: dict[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def fail(self, error: SourceError) -> None:
        self.error = error

    def begin(self) -> Sequence[Need]:
        """The first needs of the rule."""
        self.steps = KINDS[self.rule.kind](self.rule, self.at, self._fitting())
        return next(self.steps)

    def go_on(self, answers: Sequence[Answer | SourceError]) -> Sequence[Need]:
        """Take the answers; the next needs, none when the rule is judged or failed."""
        assert self.steps is not None
        good: list[Answer] = []
        for answer in answers:
            if isinstance(answer, SourceError):
                self.fail(answer)
                self.steps.close()
                return ()
            good.append(answer)
            self.seconds += answer.seconds
        try:
            return self.steps.send(good)
        except StopIteration as done:
            self.judgement = done.value
            return ()

    def settle(self) -> None:
        """Take each entity one step on."""
        self.after = dict(self.known)
        self.names = making.label_names(self.rule)
        fitting = self._fitting()
        for key, state in self.known.items():
            if key not in fitting:
                self._leave(state, None, EndReason.REMOVED)
        if self.judgement is None:
            verdicts: Sequence[Verdict] = [Verdict(key, Truth.STALE) for key in fitting]
        else:
            verdicts = self.judgement.verdicts
        for verdict in verdicts:
            self.verdicts[verdict.key] = verdict
            before = fitting.get(verdict.key)
            after = step(self.rule, before, verdict, self.at)
            if after is None or (before is not None and _ended(before, after)):
                if before is not None:
                    self._leave(before, after, verdict.ended)
            elif after != before:
                self.after[verdict.key] = after
                self.changed.append(after)

    def firing(self) -> list[EntityState]:
        """The entities that have an alert."""
        return [state for state in self.after.values() if state.phase in ALERTING]

    def wanted(self) -> list[EntityState]:
        """The entities whose documents are to be looked up, those that newly fire first."""
        lacking = [
            state
            for state in self.firing()
            if state.phase is Phase.FIRING
            and state.stale_since is None
            and state.last_true_at == self.at
            and not self._documents(state)
        ]
        lacking.sort(key=lambda state: state.fired_at != self.at)
        return lacking[: evidence.ENTITIES]

    def drafts(self) -> list[making.Draft]:
        """The alerts that may have changed."""
        firing = self.firing()
        if len(firing) > FLOOD:
            firing = [state for state in firing if not self._calm(state)]
        made = [self._draft(state) for state in firing]
        over = (making.ended(self._draft(s), self.at, reason) for s, reason in self.over)
        # Last, what goes on: of one identity the last wins.
        return [*over, *made]

    def run(self, wrong: str) -> RuleRun:
        """How the rule stands."""
        firing = len(self.firing())
        pending = sum(state.phase is Phase.PENDING for state in self.after.values())
        judgement, error = self.judgement, self.error
        words, remedy = wrong, "see the variables that annotations may use" if wrong else ""
        if error is not None:
            words, remedy = error.message, error.remedy
        elif judgement is not None and judgement.held:
            words, remedy = self._silence(judgement), "check what collects and ships this stream"
        return RuleRun(
            rule=self.rule.id,
            at=self.at,
            outcome=self._outcome(firing, pending),
            duration=self.seconds,
            error=words,
            remedy=remedy,
            entities=judgement.entities if judgement is not None else 0,
            firing=firing,
            pending=pending,
            newest=judgement.newest if judgement is not None else None,
            request=judgement.main.request if judgement is not None else "",
            answer=judgement.main.answer if judgement is not None else "",
        )

    def _outcome(self, firing: int, pending: int) -> Outcome:
        if self.error is not None:
            wrong = self.error.blame is Blame.REQUEST
            return Outcome.MISCONFIGURED if wrong else Outcome.STALE
        if self.judgement is not None and self.judgement.held:
            return Outcome.STALE
        if firing:
            return Outcome.FIRING
        if pending:
            return Outcome.PENDING
        unsure = any(v.truth is Truth.INSUFFICIENT for v in self.verdicts.values())
        return Outcome.INSUFFICIENT if unsure else Outcome.OK

    def _silence(self, judgement: Judgement) -> str:
        stream = ", ".join(judgement.silent or self.rule.index)
        if judgement.newest is None:
            return f"no documents in {stream} within a day"
        age = self.at - self.rule.query_delay - judgement.newest
        return f"no documents in {stream} for {age:.0f} s"

    def _fitting(self) -> Mapping[str, EntityState]:
        """The entities that the rule, as it is now, can speak of."""
        fields = set(self.rule.group_by)
        if all(state.entity.keys() == fields for state in self.known.values()):
            return self.known
        return {k: s for k, s in self.known.items() if s.entity.keys() == fields}

    def _leave(self, before: EntityState, after: EntityState | None, reason: EndReason) -> None:
        if before.phase in ALERTING:
            verdict = self.verdicts.get(before.key)
            value = before.value if verdict is None or verdict.value is None else verdict.value
            self.over.append((replace(before, value=value), reason))
        if after is None:
            self.after.pop(before.key, None)
            self.forgotten.append(before.key)
        else:
            self.after[before.key] = after
            self.changed.append(after)

    def _identity(self, state: EntityState) -> str:
        # An entity of other fields, from before the rule was changed, may have the same key.
        if len(state.entity) != len(self.names) or not all(n in state.entity for n in self.names):
            return making.identity(state)
        found = self.identities.get(state.key)
        if found is None:
            found = self.identities[state.key] = making.identity(state)
        return found

    def _episode(self, state: EntityState) -> Alert | None:
        """The alert of this very episode, if it is known."""
        alert = self.alerts.get(self._identity(state))
        return alert if alert is not None and alert.fired_at == state.fired_at else None

    def _documents(self, state: EntityState) -> tuple[Mapping[str, str], ...]:
        alert = self._episode(state)
        return alert.evidence.documents if alert is not None else ()

    def _draft(self, state: EntityState) -> making.Draft:
        alert = self._episode(state)
        verdict = self.verdicts.get(state.key)
        told = alert.evidence if alert is not None else Evidence()
        found = making.evidence_of(
            self.rule,
            state,
            count=verdict.count if verdict is not None and verdict.count else told.count,
            request=told.request or (self.judgement.main.request if self.judgement else ""),
            documents=self.documents.get(state.key) or told.documents,
            measures=verdict.measures if verdict and verdict.measures else told.measures,
        )
        labels = making.labels_of(self.rule, state, self.names)
        return making.draft(
            self.rule,
            state,
            self.at,
            fingerprint=self._identity(state),
            labels=labels,
            evidence=found,
            known=alert,
        )

    def _calm(self, state: EntityState) -> bool:
        """Whether there is nothing about an alert but its value that could be new."""
        alert = self._episode(state)
        return (
            alert is not None
            and alert.ended is None
            and self.at - alert.updated_at < CALM
            and alert.stale_since == state.stale_since
            and alert.level == state.level
            and alert.flapping == flapping(self.rule, state.history)
            and state.key not in self.documents
        )


def _judge(works: Sequence[_Work], source: Source, timer: Callable[[], float]) -> None:
    """Take all rules forward in step, so that what they need at one step is asked together."""
    going = [(work, work.begin()) for work in works if work.error is None]
    while going:
        needs = [need for _, wanted in going for need in wanted]
        began = timer()
        answers = iter(ask(needs, source, timer))
        waited = timer() - began
        on: list[tuple[_Work, Sequence[Need]]] = []
        for work, wanted in going:
            more = work.go_on([next(answers) for _ in wanted])
            if work.error is not None:
                work.seconds += waited
            if more:
                on.append((work, more))
        going = on


def _look_up(works: Sequence[_Work], source: Source, timer: Callable[[], float]) -> None:
    """Find documents for what newly fires. What can't be found is shown without."""
    ranked: list[tuple[int, _Work, EntityState]] = []
    for work in works:
        if work.judgement is not None:
            ranked += [(rank, work, state) for rank, state in enumerate(work.wanted())]
    # Each rule's first entity before any rule's second.
    ranked.sort(key=lambda one: one[0])
    wanted: list[tuple[_Work, EntityState, Need]] = []
    for _, work, state in ranked[: evidence.REQUESTS]:
        if work.judgement is not None:
            wanted.append((work, state, evidence.need(work.rule, state, work.judgement)))
    if not wanted:
        return
    answers = ask([need for _, _, need in wanted], source, timer)
    for (work, state, _), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, Answer):
            work.documents[state.key] = tuple(evidence.flat(d) for d in answer.documents)


def _ended(before: EntityState, after: EntityState) -> bool:
    return before.phase in ALERTING and after.phase not in ALERTING


def _same(alert: Alert, known: Alert | None) -> bool:
    return known is not None and replace(alert, updated_at=known.updated_at) == known


def _unknown(rule: Rule, fields: Mapping[tuple[str, ...], Sequence[str]]) -> SourceError:
    lacking = (f"{', '.join(index)} has no field {', '.join(f)}" for index, f in fields.items())
    return SourceError(
        "; ".join(lacking),
        Blame.REQUEST,
        where=str(rule.location),
        remedy="mend the field's name, or the mapping of the stream",
    )
