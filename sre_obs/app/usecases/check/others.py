"""Files that are no rules -> what is wrong with them: routes, silences, overrides, tests,
telemetry packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from sre_obs.app.bundled import bundled_recordings
from sre_obs.app.usecases.check.entry import Entry, Facts, bounded
from sre_obs.app.usecases.check.gather import File, Kind
from sre_obs.content import yaml
from sre_obs.content.ignore import ignores, wrong_comments
from sre_obs.content.ignored import Ignore, kept
from sre_obs.content.mistakes import shown
from sre_obs.content.routes.build import hide_secrets
from sre_obs.content.routes.checks import unknown_label, unreachable
from sre_obs.content.routes.load import SlackDefaults, load_routes
from sre_obs.content.rules.load import load_rule
from sre_obs.content.shape import find
from sre_obs.content.silences.load import read_silences
from sre_obs.content.telemetry.load import load_pack
from sre_obs.content.tests import vacuous
from sre_obs.content.tests.against import UNREAD_INDEX, against
from sre_obs.content.tests.load import load_suite, rule_of
from sre_obs.content.yaml import Document, Scalar, Seq
from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import MatchOp
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Rule
from sre_obs.model.secret import Secret
from sre_obs.query.matchers import parse_matchers

_ANY = ("*-*", "*:*-*")

UNKNOWN_ALERT = "silences/unknown-alert"

IGNORABLE: Mapping[Kind, frozenset[str]] = {
    Kind.ROUTES: frozenset((unreachable.SLUG, unknown_label.SLUG, "routes/unused-receiver")),
    Kind.SILENCES: frozenset((UNKNOWN_ALERT,)),
    Kind.TEST: frozenset((UNREAD_INDEX, vacuous.SLUG)),
    Kind.OVERRIDES: frozenset(
        ("overrides/unknown-rule", "rules/window-too-short", "rules/for-too-short")
    ),
}


def check_other(
    file: File, rules: Sequence[Facts], load: Callable[[Iterable[str]], Sequence[Rule]]
) -> Entry:
    """One file. `rules` are those that were checked with it; `load` gives the rules, of
    these or of the bundled ones, whose id one of some patterns matches."""
    document, _ = yaml.load(file.path, name=file.name)
    match file.kind:
        case Kind.ROUTES:
            hide_secrets(document)
            problems = _routes(file, document, rules)
        case Kind.SILENCES:
            problems = _silences(file, rules)
        case Kind.OVERRIDES:
            problems = _overrides(file, document, load)
        case Kind.TEST:
            problems = _tests(file)
        case _:
            problems = load_pack(file.path, name=file.name)[1]
    comments = ignores(document)
    used: set[Ignore] = set()
    ignorable = IGNORABLE.get(file.kind, frozenset())
    problems = kept(problems, [c for c in comments if c.slug in ignorable], used)
    problems += wrong_comments(document, comments, ignorable)
    return Entry(
        bounded(list(dict.fromkeys(problems))),
        ignores=comments,
        used=frozenset(n for n, comment in enumerate(comments) if comment in used),
    )


def _routes(file: File, document: Document, rules: Sequence[Facts]) -> list[Problem]:
    # Where the check runs there is no secret and no bot; that they are there is seen at the
    # start. A token and an address stand in for them.
    slack = SlackDefaults(Secret("checked"))
    routing, problems = load_routes(
        file.path, slack=slack, read_file=lambda _: "https://checked.invalid/", name=file.name
    )
    if routing is None:
        return problems
    problems += unreachable.check(document, routing)
    labels = {label for rule in rules for label in rule.labels}
    problems += unknown_label.check(document, labels)
    return problems


def _silences(file: File, rules: Sequence[Facts]) -> list[Problem]:
    document, problems = yaml.load(file.path, name=file.name)
    _, problems = read_silences(document, problems)
    if document.root is None or not rules:
        return problems
    slugs = {rule.slug for rule in rules}
    entries = find(document.root, ("silences",))
    for entry in entries if isinstance(entries, Seq) else ():
        matchers = find(entry, ("matchers",))
        for node in matchers if isinstance(matchers, Seq) else ():
            if isinstance(node, Scalar):
                problems += _alertname(document, node, slugs)
    return problems


def _alertname(document: Document, node: Scalar, slugs: set[str]) -> Iterable[Problem]:
    """A silence of an alert that no rule makes, but one makes one that is called alike."""
    try:
        matchers = parse_matchers(node.text)
    except QueryError:
        return
    for matcher in matchers:
        if matcher.name != "alertname" or matcher.op is not MatchOp.EQUAL:
            continue
        near = get_close_matches(matcher.value, slugs, n=1, cutoff=0.8)
        if matcher.value not in slugs and near:
            yield document.problem(
                UNKNOWN_ALERT,
                document.place(node),
                f"no rule is called {shown(matcher.value)}: nothing is silenced",
                f"write {near[0]}",
                Severity.WARNING,
            )


def _tests(file: File) -> list[Problem]:
    suite, problems = load_suite(file.path, name=file.name, recordings=bundled_recordings())
    path = rule_of(file.path)
    if path.is_file():
        # What is wrong with the rule is said of its own file. Which indices it may read is
        # the settings' matter and none of the test's.
        rule = load_rule(path, allow=_ANY)[0] if suite is not None else None
        if suite is not None and rule is not None:
            problems += [*against(suite, rule), *vacuous.vacuous(suite, rule)]
    else:
        problems.append(
            Problem(
                "tests/no-rule",
                Severity.ERROR,
                Location(file.name),
                f"there is no rule {shown(path.name)} beside this test",
                "name the test <slug>.test.yml, as the rule",
            )
        )
    return problems


def _overrides(
    file: File, document: Document, load: Callable[[Iterable[str]], Sequence[Rule]]
) -> list[Problem]:
    from sre_obs.content.overrides import apply_overrides, load_environments

    environments, problems = load_environments(file.path, name=file.name)
    rules = load({override.pattern for each in environments for override in each})
    for overrides in environments:
        _, wrong = apply_overrides(rules, overrides)
        problems += [p for p in wrong if p.location.file == document.file]
    return problems


def matching(patterns: Iterable[str], id_: str) -> bool:
    """Whether one of some patterns of ids matches."""
    return any(fnmatchcase(id_, pattern) for pattern in patterns)
