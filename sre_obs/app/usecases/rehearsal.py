"""A rule's own positive test case, evaluated: the alert that a fire drill of the rule sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from sre_obs.app.bundled import bundled_rules
from sre_obs.app.settings import BUNDLED, Settings
from sre_obs.app.usecases.load import NEAR
from sre_obs.app.usecases.rule_tests.files import tuned
from sre_obs.app.usecases.rule_tests.play import play
from sre_obs.app.usecases.rule_tests.run import RECORDINGS, contract_types
from sre_obs.app.usecases.rule_tests.source import Stage
from sre_obs.content.duration import format_duration
from sre_obs.content.overrides import apply_overrides, load_overrides
from sre_obs.content.rules.load import load_rule, rule_files
from sre_obs.content.tests.documents import documents_of
from sre_obs.content.tests.load import load_suite
from sre_obs.content.tests.suite import Case, Suite
from sre_obs.evaluate.ports import Renderer
from sre_obs.model.alert import Alert
from sre_obs.model.errors import ContentError, UsageError
from sre_obs.model.problem import Severity
from sre_obs.model.rule import Rule, RuleState


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rule with the case that is to fire. `rule` is as the case runs it; `told` is what
    overrides make of it where the daemon runs: routes go by its labels, and its numbers are
    those to be read, where the case fires with them too."""

    rule: Rule
    told: Rule
    suite: Suite
    case: Case

    @property
    def documents(self) -> int:
        """How many documents the case has."""
        return sum(map(len, documents_of(self.case.documents, self.suite.start).values()))

    def alert(self, renderer: Renderer, timer: Callable[[], float]) -> tuple[Alert | None, str]:
        """The first alert of the case, and how it came about or why not. Blocks."""
        if self.told.origins:
            alert, words = self._played(self.told, renderer, timer)
            if alert is not None:
                return alert, words
        rule = replace(
            self.rule,
            severity=self.told.severity,
            owner=self.told.owner,
            labels=self.told.labels,
        )
        alert, words = self._played(rule, renderer, timer)
        if alert is not None and self.told.origins:
            words += "; with the overrides its case does not"
        return alert, words

    @property
    def warning(self) -> str:
        """Why nobody would be told of this rule's alerts where the daemon runs, if so."""
        if self.told.state is RuleState.LIVE:
            return ""
        place = self.told.origins.get("state")
        where = f" in {place.file}:{place.line}" if place is not None else ""
        return f"{self.told.id} is {self.told.state}{where}: the daemon would tell nobody"

    def _played(
        self, rule: Rule, renderer: Renderer, timer: Callable[[], float]
    ) -> tuple[Alert | None, str]:
        start = self.suite.start
        types = contract_types(self.suite.rule)
        source = Stage.of(rule, self.case, types, start).source(rule.source)
        played = play(rule, self.case, source, renderer, start=start, timer=timer)
        first = next(iter(played.episodes), None)
        if first is None or first.alert is None:
            return None, played.error or "its case does not fire"
        value = "" if first.value is None else f", value {first.value:.6g}"
        return first.alert, f"{rule.id} fires after {format_duration(first.fires)}{value}"


def find_rehearsal(settings: Settings, name: str) -> Rehearsal:
    """The rule of this slug or id, and its first case that expects an alert.

    Raises UsageError where there is none, ContentError where files are wrong.
    """
    folder = settings.rules or Path(BUNDLED)
    bundled = str(folder) == BUNDLED
    folder = bundled_rules() if bundled else folder
    path = _path(folder, name, BUNDLED if bundled else str(folder))
    shown = str(Path("rules") / path.relative_to(folder)) if bundled else str(path)
    rule, problems = load_rule(path, name=shown)
    errors = [p for p in problems if p.severity is Severity.ERROR]
    if rule is None or errors:
        raise ContentError(errors)
    test = next((t for end in (".yml", ".yaml") if (t := _test(path, end)).is_file()), None)
    if test is None:
        raise UsageError(
            "this rule has no test", where=shown, remedy=f"write {_test(path, '.yml').name}"
        )
    suite, problems = load_suite(
        test, name=str(Path(shown).with_name(test.name)), recordings=RECORDINGS
    )
    case = next((c for c in suite.cases if c.expected), None) if suite is not None else None
    if suite is None or case is None:
        wrong = [p for p in problems if p.severity is Severity.ERROR]
        if wrong:
            raise ContentError(wrong)
        raise UsageError(
            "no case of its test expects an alert", where=str(test), remedy="write one that fires"
        )
    told = rule
    if settings.overrides is not None:
        overrides, problems = load_overrides(settings.overrides, environment=settings.environment)
        wrong = [p for p in problems if p.severity is Severity.ERROR]
        if wrong:
            raise ContentError(wrong)
        (told,), problems = apply_overrides((rule,), overrides)
        wrong = [p for p in problems if p.severity is Severity.ERROR]
        if wrong:
            raise ContentError(wrong)
    ready, problems = tuned(rule, suite)
    if ready is None:
        raise ContentError(problems)
    return Rehearsal(ready, told, suite, case)


def _path(folder: Path, name: str, shown: str) -> Path:
    if not folder.is_dir():
        raise UsageError("no such folder of rules", where=str(folder), remedy="check rules")
    known: dict[str, Path] = {}
    for path in rule_files(folder, lambda *_: None):
        known.setdefault(path.stem, path)
        known.setdefault(f"{path.parent.name}/{path.stem}", path)
    found = known.get(name.removesuffix(".yml"))
    if found is None:
        near = get_close_matches(name, known, 1, NEAR)
        remedy = f"write {near[0]}" if near else f"see: sre-obs rules list --rules {shown}"
        raise UsageError(f'no rule is called "{name}"', where="--rule", remedy=remedy)
    return found


def _test(rule: Path, end: str) -> Path:
    return rule.with_name(f"{rule.stem}.test{end}")
