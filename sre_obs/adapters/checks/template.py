"""A template that will not render, or that names what its alert does not have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.content.rules.templates import TemplateFault, parse_template
from sre_obs.content.yaml import Map, Scalar
from sre_obs.evaluate.alerts import RESERVED, VARIABLES, label_names
from sre_obs.model.problem import Location, Problem, Severity

SLUG = "rules/template"

# Faults of one template that are told: looking for what was meant takes its time.
_MOST = 20
_RULE = frozenset(("id", "slug", "title", "severity", "owner", "runbook"))


def check(subject: Subject) -> Iterator[Problem]:
    """Each template of the annotations and of the runbook that is wrong."""
    has = _has(subject)
    for block in ("annotations", "runbook"):
        texts = subject.written.root.get(block)
        for name, node in texts.items() if isinstance(texts, Map) else ():
            if isinstance(node, Scalar) and "{" in node.text and name != "link":
                yield from _template(subject, node, has)


def _has(subject: Subject) -> Mapping[str, Collection[str]]:
    """What can be asked of each variable that has parts."""
    rule = subject.rule
    return {
        "labels": {*RESERVED, *rule.labels, *label_names(rule).values()},
        "entity": set(rule.group_by),
        "measures": {measure.name for measure in rule.measures},
        "variables": set(rule.variables),
        "rule": _RULE,
    }


def _template(
    subject: Subject, node: Scalar, has: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    wrong = _checked(node.text)
    for message, line in wrong:
        name = re.match(r'no \w+ "([^"]*)"', message)
        place = _place(subject, node, line, name.group(1) if name else "")
        yield subject.problem(SLUG, place, message, "", Severity.WARNING)
    if len(wrong) == _MOST or not _readable(node.text):
        return
    for variable, part, line in _parts(node.text):
        known = has.get(variable)
        if known is None or part in known:
            continue
        near = get_close_matches(part, known, n=1)
        if near:
            remedy = f"write {near[0]}"
        else:
            remedy = (
                f"it has: {', '.join(sorted(known))}" if known else f"the rule has no {variable}"
            )
        message = f"{variable} has no {shown(part)}"
        place = _place(subject, node, line, part)
        yield subject.problem(SLUG, place, message, remedy, Severity.WARNING)


def _place(subject: Subject, node: Scalar, line: int, word: str) -> Location:
    """Where a word stands in a line of a template, or the line's first character."""
    start = sum(len(row) + 1 for row in node.text.split("\n")[: line - 1])
    end = node.text.find("\n", start)
    found = node.text.find(word, start, end if end >= 0 else len(node.text)) if word else -1
    if found < 0:
        return subject.document.place(node, start)
    return subject.document.place(node, found, len(word))


@lru_cache(maxsize=2_048)
def _checked(text: str) -> tuple[tuple[str, int], ...]:
    """(what is wrong, the line from 1) for the first faults of a text, each once in a line."""
    from sre_obs.adapters.template_worker import unfit

    try:
        found = islice(unfit(parse_template(text), VARIABLES), _MOST)
        return tuple(dict.fromkeys(found))
    except TemplateFault as fault:
        return ((fault.message, max(fault.line, 1)),)


def _readable(text: str) -> bool:
    try:
        parse_template(text)
    except TemplateFault:
        return False
    return True


@lru_cache(maxsize=2_048)
def _parts(text: str) -> tuple[tuple[str, str, int], ...]:
    """(variable, its part, line) for each part that is asked for by name."""
    from jinja2 import nodes

    found = []
    for node in parse_template(text).find_all((nodes.Getattr, nodes.Getitem)):
        match node:
            case nodes.Getattr(node=nodes.Name(name=variable), attr=part):
                found.append((variable, part, node.lineno))
            case nodes.Getitem(node=nodes.Name(name=variable), arg=nodes.Const(value=str(part))):
                found.append((variable, part, node.lineno))
    return tuple(found)
