"""A rule file that was read -> `Rule`, with the checks that no single key can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sre_obs.content.duration import format_duration
from sre_obs.content.mistakes import shown
from sre_obs.content.rules.index import refuse
from sre_obs.content.rules.levels import faults
from sre_obs.content.rules.measures import check_names, read_measures, read_threshold
from sre_obs.content.rules.queries import read_query
from sre_obs.content.rules.schema import MAX_TEXT, FlappingShape, LevelShape, RuleShape
from sre_obs.content.rules.templates import TemplateFault, parse_template
from sre_obs.content.rules.written import Written, items
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Flapping, Function, Level, Query, Rule, RuleKind, Runs

_RESERVED = {
    "alertname": "it is the file's name",
    "severity": "write severity outside of labels",
}
_WINDOW = 300.0
_WINDOW_OF_A_STATE = 120.0  # "now": what no document has said for so long is not known
# What a runbook says is what an alert says, unless the annotation is written.
_SAID = {"means": "description", "look": "look", "act": "action"}


def build(
    document: Document, shape: RuleShape, id_: str, allow: Mapping[str, Sequence[str]] | None
) -> tuple[Rule | None, list[Problem]]:
    """The rule, or None where a problem forbids it.

    `allow` maps a source's name to the patterns that its rules may read; None where the
    sources are not known here: then no index is checked.
    """
    written = Written(document)
    _indices(written, shape, allow)
    check_names(written, shape)
    query = _query(written, shape)
    measured = read_measures(written, shape)
    threshold = read_threshold(written, shape)
    _kinds(written, shape)
    _words(written)
    if query is None or written.broken():
        return None, written.problems
    rule = Rule(
        id=id_,
        title=shape.title,
        kind=shape.kind,
        index=tuple(dict.fromkeys(shape.index)),
        query=query,
        location=_where(written),
        interval=shape.interval,
        window=shape.from_ or (_WINDOW_OF_A_STATE if shape.kind is RuleKind.STATE else _WINDOW),
        query_delay=shape.query_delay,
        severity=shape.severity,
        source=shape.source,
        threshold=threshold,
        measures=measured.measures,
        value=measured.value,
        when=measured.when,
        valid=measured.valid,
        variables=shape.variables,
        levels=levels_of(shape.levels),
        runs=Runs(*shape.runs) if shape.runs else None,
        flapping=flapping_of(shape.flapping),
        group_by=tuple(shape.group_by),
        for_=shape.for_,
        keep_firing_for=shape.keep_firing_for,
        no_data=shape.no_data,
        stale_after=shape.stale_after,
        forget_after=shape.forget_after,
        entities=tuple(shape.entities),
        state=shape.state,
        owner=shape.owner,
        runbook=shape.runbook.link,
        labels=shape.labels,
        annotations={**_said(shape), **shape.annotations},
        evidence=tuple(shape.evidence),
    )
    for fault in faults(rule):
        written.add("rules/wrong-value", written.key(*fault.path), fault.message, fault.remedy)
    _times(written, rule)
    return (None if written.broken() else rule), written.problems


def levels_of(shapes: Sequence[LevelShape]) -> tuple[Level, ...]:
    """Levels as they are written -> as they count."""
    return tuple(Level(s.severity, s.limit, s.comparison, s.clear, s.for_) for s in shapes)


def check_times(
    rule: Rule, place: Location, document: Document, *, for_: Location | None = None
) -> list[Problem]:
    """Times that contradict each other; warnings, since the rule runs all the same.

    `for_` is where "for" stands, if that is another place.
    """
    found = []
    if rule.window < rule.interval and not _of_the_newest(rule):
        found.append(
            document.problem(
                "rules/window-too-short",
                place,
                f"the window is shorter than the interval, {format_duration(rule.interval)}: "
                "documents between two runs are never seen",
                f'write "from: now-{format_duration(rule.interval)}" or more',
                Severity.WARNING,
            )
        )
    if 0 < rule.for_ < rule.interval:
        found.append(
            document.problem(
                "rules/for-too-short",
                for_ or place,
                f'"for" is shorter than the interval, {format_duration(rule.interval)}',
                f'write "for: {format_duration(rule.interval)}" or more',
                Severity.WARNING,
            )
        )
    return found


def _of_the_newest(rule: Rule) -> bool:
    """Whether a rule asks how things stand, so that nothing is missed between two runs."""
    if rule.kind is RuleKind.STATE:
        return True
    return bool(rule.measures) and all(
        m.window > 0 or m.function in (Function.LATEST, Function.MATCHES, Function.AGE)
        for m in rule.measures
    )


def flapping_of(shape: FlappingShape | None) -> Flapping | None:
    """What counts as flapping, or None where it is not looked at."""
    return None if shape is None else Flapping(shape.changes, shape.runs, shape.calm)


def _where(written: Written) -> Location:
    """The line that a message names: the one that says what is looked for."""
    for key in ("query", "threshold", "kind"):
        if key in written.root:
            return written.key(key)
    return written.top()


def _said(shape: RuleShape) -> dict[str, str]:
    return {name: text for key, name in _SAID.items() if (text := getattr(shape.runbook, key))}


def _indices(written: Written, shape: RuleShape, allow: Mapping[str, Sequence[str]] | None) -> None:
    if allow is None:
        return
    allowed = allow.get(shape.source)
    if allowed is None:
        known = ", ".join(sorted(allow))
        message = f"no source is called {shown(shape.source)}"
        written.add("rules/unknown-source", written.at("source"), message, f"one of: {known}")
        return
    nodes = [written.root.get("index")]
    measures = written.root.get("measures")
    if isinstance(measures, Map):
        nodes += [node.get("index") for node in measures.values() if isinstance(node, Map)]
    for node in nodes:
        for item in items(node):
            reason = refuse(item.text, allowed)
            if reason is not None:
                message = f"{shown(item.text)}: {reason[0]}"
                written.add(
                    "rules/index-not-allowed", written.document.place(item), message, reason[1]
                )


def _query(written: Written, shape: RuleShape) -> Query | None:
    node = written.root.get("query")
    if shape.kind in (RuleKind.QUERY, RuleKind.STATE) and (
        node is None or (isinstance(node, Scalar) and node.empty)
    ):
        message = '"query" is missing: without it every document would be an alert'
        if shape.kind is RuleKind.STATE:
            message = '"query" is missing: a state rule holds the newest document against it'
        written.add("rules/missing-key", written.top(), message, "add it")
        return None
    if node is None and shape.language == "dsl" and not shape.measures:
        written.add("rules/missing-key", written.top(), '"query" is missing', "add it")
        return None
    return read_query(written, node, shape.language, shape.variables)


# Keys that only rules of one kind have.
_OF_A_KIND = {
    "threshold": RuleKind.THRESHOLD,
    "measures": RuleKind.THRESHOLD,
    "value": RuleKind.THRESHOLD,
    "when": RuleKind.THRESHOLD,
    "valid": RuleKind.THRESHOLD,
    "entities": RuleKind.ABSENCE,
    "forget_after": RuleKind.ABSENCE,
}


def _kinds(written: Written, shape: RuleShape) -> None:
    for key, kind in _OF_A_KIND.items():
        if key in written.root and shape.kind is not kind:
            message = f'"{key}" is for kind {kind}, and this rule is of kind {shape.kind}'
            written.add(
                "rules/wrong-value", written.key(key), message, f"remove it, or write kind: {kind}"
            )
    if shape.kind is not RuleKind.ABSENCE:
        return
    node = written.root.get("entities")
    for item in node if isinstance(node, Seq) else ():
        assert isinstance(item, Map)
        if set(item) != set(shape.group_by) or not item:
            wanted = ", ".join(shape.group_by) or "a field in group_by"
            message = "an entity has exactly the fields of group_by"
            written.add("rules/wrong-value", written.document.place(item), message, wanted)


def _words(written: Written) -> None:
    """Fields twice, labels that are taken, templates that can't be read."""
    for key in ("group_by", "evidence", "index"):
        _once(written, written.root.get(key), key)
    measures = written.root.get("measures")
    for measure in measures.values() if isinstance(measures, Map) else ():
        for key in ("by", "series", "index"):
            _once(written, measure.get(key) if isinstance(measure, Map) else None, key)
    labels = written.root.get("labels")
    if isinstance(labels, Map):
        for name in labels:
            reason = refuse_label(name)
            if reason is not None:
                place = written.document.key(labels, name)
                written.add("rules/reserved-label", place, *reason)
    for key in ("annotations", "runbook"):
        texts = written.root.get(key)
        for name, text in texts.items() if isinstance(texts, Map) else ():
            if isinstance(text, Scalar) and name != "link":
                _template(written, text)


def refuse_label(name: str) -> tuple[str, str] | None:
    """(why no rule can set this label, remedy), or None."""
    if name and name not in _RESERVED:
        return None
    return f"{shown(name)} is no free label", _RESERVED.get(name, "give it a name")


def _once(written: Written, node: Node | None, key: str) -> None:
    seen: set[str] = set()
    for item in node if isinstance(node, Seq) else ():
        assert isinstance(item, Scalar)
        if item.text in seen:
            message = f"{shown(item.text)} twice in {key}"
            written.add("rules/duplicate", written.document.place(item), message, "remove one")
        seen.add(item.text)


def _template(written: Written, node: Scalar) -> None:
    if len(node.text) > MAX_TEXT:
        message = f"a template is longer than {MAX_TEXT} characters"
        written.add("rules/wrong-value", written.document.place(node), message, "shorten it")
        return
    if "{" not in node.text:
        return
    wrong = _template_fault(node.text)
    if wrong is not None:
        message, offset, remedy = wrong
        place = written.document.place(node, offset)
        written.add("rules/template-syntax", place, message, remedy)


@lru_cache(maxsize=4_096)
def _template_fault(text: str) -> tuple[str, int | None, str] | None:
    """(what keeps a text from being a template, where, what to do), or None."""
    try:
        parse_template(text)
    except TemplateFault as fault:
        if not fault.line:
            return fault.message, None, fault.remedy
        before = text.split("\n")[: fault.line - 1]
        offset = sum(len(line) + 1 for line in before)
        return fault.message, offset, fault.remedy
    return None


def _times(written: Written, rule: Rule) -> None:
    if not check_times(rule, rule.location, written.document):
        return
    key = "from" if "from" in written.root else "interval"
    at, for_ = written.at(key), written.at("for")
    written.problems += check_times(rule, at, written.document, for_=for_)
