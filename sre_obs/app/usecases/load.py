"""Load everything that files say: rules with their overrides, and routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sre_obs.app.bundled import bundled_rules
from sre_obs.app.settings import BUNDLED, Settings, SourceSettings, secret
from sre_obs.content.files import read_secret
from sre_obs.content.overrides import apply_overrides, load_overrides
from sre_obs.content.routes.load import SlackDefaults, load_routes
from sre_obs.content.rules.load import load_rules
from sre_obs.evaluate.alerts import VARIABLES
from sre_obs.model.errors import ContentError, UsageError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.routing import Receiver, Route, Routing, TerminalIntegration
from sre_obs.model.rule import Rule

# How like (0 to 1) a rule's name must be to be named instead of one that is not there.
# Names of rules share much: "pg-commits-failing" is 0.68 like "apm-endpoint-failing".
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Content:
    """What the files say. `problems` are about those that are left out, and warnings;
    `left_out` are the files of rules that gave none."""

    rules: tuple[Rule, ...]
    routing: Routing
    problems: tuple[Problem, ...]
    left_out: frozenset[str] = frozenset()


def keep_old(content: Content, before: Content) -> Content:
    """The new content with the old rule of each file that is broken by now: one bad file
    neither takes its rule from duty nor keeps the others from being mended."""
    new = {rule.id for rule in content.rules}
    kept = [
        rule
        for rule in before.rules
        if rule.location.file in content.left_out and rule.id not in new
    ]
    return replace(content, rules=tuple(sorted((*content.rules, *kept), key=lambda r: r.id)))


def load_content(settings: Settings) -> Content:
    """Rules and routes as the settings name them.

    A rule file with an error is left out and reported: one bad rule blinds only itself. A
    routes file with an error raises ContentError, since nobody could be told anything; a
    folder of rules that is not there raises UsageError.
    """
    rules, problems, left_out = load_tuned(settings)
    found = [*problems, *_templates(rules)]
    routing, about_routes = load_routing(settings)
    return Content(rules, routing, (*found, *about_routes), left_out)


def load_tuned(
    settings: Settings,
) -> tuple[tuple[Rule, ...], tuple[Problem, ...], frozenset[str]]:
    """The rules with their overrides, what is wrong, and the files of rules that gave none.

    Raises UsageError for a folder that is not there.
    """
    problems: list[Problem] = []
    rules: tuple[Rule, ...] = ()
    left_out: frozenset[str] = frozenset()
    if settings.rules is not None:
        bundled = str(settings.rules) == BUNDLED
        folder = bundled_rules() if bundled else settings.rules
        if not folder.exists():
            raise UsageError("no such folder of rules", where=str(folder), remedy="check rules")
        # Where a bundled rule lies on this machine helps nobody: "rules/..." is what the
        # README, the repository and the override call it.
        loaded = load_rules(folder, allow=allowed(settings), name="rules" if bundled else "")
        rules = loaded.rules
        problems.extend(loaded.problems)
        wrong_files = (p.location.file for p in problems if p.severity is Severity.ERROR)
        left_out = frozenset(wrong_files) - {rule.location.file for rule in rules}
    if settings.overrides is not None:
        overrides, wrong = load_overrides(settings.overrides, environment=settings.environment)
        problems.extend(wrong)
        rules, wrong = apply_overrides(rules, overrides)
        problems.extend(wrong)
    return rules, tuple(problems), left_out


def file_of(settings: Settings, rule: Rule) -> Path:
    """Where a rule's file lies."""
    named = Path(rule.location.file)
    if str(settings.rules) == BUNDLED:
        return bundled_rules() / named.relative_to("rules")
    return named


def load_routing(settings: Settings) -> tuple[Routing, tuple[Problem, ...]]:
    """The routes alone, and warnings about them. Raises ContentError for one that is wrong."""
    if settings.routes is None:
        return to_terminal(), ()
    slack = SlackDefaults(
        secret(settings.slack.token, settings.slack.token_file, "slack.token"),
        settings.slack.api_url,
    )
    routing, problems = load_routes(settings.routes, slack=slack, read_file=read_secret)
    if routing is None:
        raise ContentError([p for p in problems if p.severity is Severity.ERROR])
    return routing, tuple(problems)


def to_terminal() -> Routing:
    """Without a routes file every alert is printed."""
    receiver = Receiver("terminal", (TerminalIntegration("terminal/terminal[0]"),))
    root = Route(
        id="{}",
        receiver="terminal",
        location=Location("built in"),
        group_by=("alertname",),
        group_wait=0.0,
    )
    return Routing(root, (receiver,), text="# no routes file: alerts are printed\n")


def _templates(rules: Iterable[Rule]) -> Iterator[Problem]:
    """Annotations that will not render. A warning: the alert is told all the same."""
    from sre_obs.adapters.templates import check_template

    for rule in rules:
        for name, text in rule.annotations.items():
            wrong = check_template(text, VARIABLES)
            if wrong is not None:
                message = f"annotation {name}: {wrong.message}"
                yield Problem(
                    "rules/template", Severity.WARNING, rule.location, message, wrong.remedy
                )


def no_source(settings: Settings, name: str, where: str) -> UsageError:
    """There is no cluster of this name to search in: why, and which there are."""
    known = settings.sources.get(name)
    others = [n for n, s in settings.sources.items() if s.from_ == "rules" and s.hosts]
    remedy = f"one of: {', '.join(others)}" if others else f"set sources.{name}.hosts"
    if known is None or known.from_ == "rules":
        return UsageError(f"no source is called {name}", where=where, remedy=remedy)
    if not others:
        remedy = "set sources.default.hosts, the cluster itself"
    return UsageError(
        f"{name} is a Kibana source: its alerts are read, it can't be searched",
        where=where,
        remedy=remedy,
    )


def allowed(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Which index patterns rules may read, by source; `default` is always there."""
    of_rules = {name: s.allow for name, s in settings.sources.items() if s.from_ == "rules"}
    return {"default": SourceSettings().allow, **of_rules}
