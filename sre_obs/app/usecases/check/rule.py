"""One rule file -> what is wrong with it, and what it is compared by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from sre_obs.adapters.checks import template
from sre_obs.app.usecases.check.across import ACROSS
from sre_obs.app.usecases.check.entry import Entry, Facts, bounded
from sre_obs.content import yaml
from sre_obs.content.ignore import ignores, wrong_comments
from sre_obs.content.ignored import Ignore, kept
from sre_obs.content.rules.checks import same
from sre_obs.content.rules.checks.registry import CHECKS, check_rule
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.content.rules.load import read_rule
from sre_obs.evaluate.alerts import RESERVED, label_names
from sre_obs.model.problem import Problem
from sre_obs.model.rule import Rule
from sre_obs.model.telemetry import Contract

Allow = Mapping[str, Sequence[str]] | Sequence[str]

# What loading a rule warns of; what it calls an error keeps the file from being used, and
# nobody can wish that away.
_OF_LOADING = ("rules/window-too-short", "rules/for-too-short")
IGNORABLE: Collection[str] = frozenset((*CHECKS, template.SLUG, *ACROSS, *_OF_LOADING))


def check_rule_text(
    data: bytes,
    path: Path,
    name: str,
    contract: Callable[[str], Contract],
    *,
    allow: Allow,
    tested: bool | None,
) -> Entry:
    """A rule's text as it lies in `path`, called `name` in findings. `contract` gives that of
    a source by its name."""
    document, problems = yaml.parse(data, name)
    rule, problems = read_rule(document, problems, path, allow)
    if rule is not None:
        subject = Subject(rule, document, contract(rule.source), tested=tested)
        problems = [*problems, *check_rule(subject), *template.check(subject)]
    comments = ignores(document)
    used: set[Ignore] = set()
    problems = kept(problems, [c for c in comments if c.slug in IGNORABLE], used)
    problems += wrong_comments(document, comments, IGNORABLE)
    return Entry(
        bounded(_once(problems)),
        None if rule is None else facts_of(rule, document, contract(rule.source)),
        comments,
        frozenset(n for n, comment in enumerate(comments) if comment in used),
        loaded=rule is not None,
    )


def facts_of(rule: Rule, document: yaml.Document, contract: Contract) -> Facts:
    """What other files are held against."""
    labels: dict[str, str | None] = dict.fromkeys((*RESERVED, *label_names(rule).values()))
    labels |= {
        **rule.labels,
        "alertname": rule.slug,
        "severity": None if rule.levels else rule.severity,
        "owner": rule.owner,
        "source": rule.source,
    }
    same_key, near_key = same.keys(rule)
    line = document.problem("", rule.location, "").source
    source = line if len(line) <= 300 else ""
    reads = {*rule.index, *(index for measure in rule.measures for index in measure.index)}
    known = all(map(contract.streams_of, reads))
    return Facts(rule.id, rule.slug, same_key, near_key, labels, rule.location, source, known)


def _once(problems: list[Problem]) -> list[Problem]:
    """A clause that two measures share, or an alias repeats, is wrong once."""
    return list(dict.fromkeys(problems))
