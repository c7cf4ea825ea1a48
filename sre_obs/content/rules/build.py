"""A rule file that was read -> `Rule`, with the checks that no single key can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sre_obs.content.duration import format_duration
from sre_obs.content.mistakes import shown
from sre_obs.content.rules import dsl
from sre_obs.content.rules.index import refuse
from sre_obs.content.rules.schema import MAX_TEXT, RuleShape
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq, plain
from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Function, Query, Rule, RuleKind, Threshold
from sre_obs.query.kql import compile_kql, fields, parse

_RESERVED = {
    "alertname": "it is the file's name",
    "severity": "write severity outside of labels",
}
_EVERYTHING = Query("kql", "", {"match_all": {}})


def build(
    document: Document, shape: RuleShape, id_: str, allow: Mapping[str, Sequence[str]] | None
) -> tuple[Rule | None, list[Problem]]:
    """The rule, or None where a problem forbids it.

    `allow` maps a source's name to the patterns that its rules may read; None where the
    sources are not known here: then no index is checked.
    """
    check = _Check(document, shape)
    check.indices(allow)
    query = check.query()
    threshold = check.threshold()
    check.absence()
    check.words()
    check.times()
    if query is None or any(p.severity is Severity.ERROR for p in check.problems):
        return None, check.problems
    rule = Rule(
        id=id_,
        title=shape.title,
        kind=shape.kind,
        index=tuple(dict.fromkeys(shape.index)),
        query=query,
        location=check.where(),
        interval=shape.interval,
        window=shape.from_,
        query_delay=shape.query_delay,
        severity=shape.severity,
        source=shape.source,
        threshold=threshold,
        group_by=tuple(shape.group_by),
        for_=shape.for_,
        keep_firing_for=shape.keep_firing_for,
        no_data=shape.no_data,
        stale_after=shape.stale_after,
        forget_after=shape.forget_after,
        entities=tuple(shape.entities),
        state=shape.state,
        owner=shape.owner,
        runbook=shape.runbook,
        labels=shape.labels,
        annotations=shape.annotations,
        evidence=tuple(shape.evidence),
    )
    return rule, check.problems


def check_times(
    *, window: float, interval: float, for_: float, place: Location, document: Document
) -> list[Problem]:
    """Times that contradict each other; warnings, since the rule runs all the same."""
    found = []
    if window < interval:
        found.append(
            document.problem(
                "rules/window-too-short",
                place,
                f"the window is shorter than the interval, {format_duration(interval)}: "
                "documents between two runs are never seen",
                f'write "from: now-{format_duration(interval)}" or more',
                Severity.WARNING,
            )
        )
    if 0 < for_ < interval:
        found.append(
            document.problem(
                "rules/for-too-short",
                place,
                f'"for" is shorter than the interval, {format_duration(interval)}',
                f'write "for: {format_duration(interval)}" or more',
                Severity.WARNING,
            )
        )
    return found


class _Check:
    """One file's checks; `problems` collects."""

    def __init__(self, document: Document, shape: RuleShape) -> None:
        self.document = document
        self.shape = shape
        assert isinstance(document.root, Map)
        self.root = document.root
        self.problems: list[Problem] = []

    def where(self) -> Location:
        """The line that a message names: the one that says what is looked for."""
        for key in ("query", "threshold", "kind"):
            if key in self.root:
                return self.document.key(self.root, key)
        return self._top()

    def indices(self, allow: Mapping[str, Sequence[str]] | None) -> None:
        if allow is None:
            return
        source = self.shape.source
        allowed = allow.get(source)
        if allowed is None:
            known = ", ".join(sorted(allow))
            message = f"no source is called {shown(source)}"
            self._add("rules/unknown-source", self._at("source"), message, f"one of: {known}")
            return
        node = self.root["index"]
        for item in node if isinstance(node, Seq) else [node]:
            assert isinstance(item, Scalar)
            reason = refuse(item.text, allowed)
            if reason is not None:
                message = f"{shown(item.text)}: {reason[0]}"
                self._add("rules/index-not-allowed", self.document.place(item), message, reason[1])

    def query(self) -> Query | None:
        node = self.root.get("query")
        if self.shape.language == "dsl":
            return self._dsl(node)
        if node is None or (isinstance(node, Scalar) and node.empty):
            if self.shape.kind is RuleKind.QUERY:
                message = '"query" is missing: without it every document would be an alert'
                self._add("rules/missing-key", self._top(), message, "add it")
                return None
            return _EVERYTHING
        if not isinstance(node, Scalar):
            message = '"query" must be a text in KQL'
            self._add("rules/wrong-value", self.document.place(node), message, "language: dsl")
            return None
        if len(node.text) > MAX_TEXT:
            message = f'"query" is longer than {MAX_TEXT} characters'
            self._add("rules/wrong-value", self.document.place(node), message, "split the rule")
            return None
        try:
            tree = parse(node.text)
            compiled = compile_kql(tree, None)
        except QueryError as error:
            place = self.document.place(node, error.offset, error.length)
            self._add("rules/query-syntax", place, error.message, error.remedy)
            return None
        used = tuple(dict.fromkeys(use.field for use in fields(tree)))
        return Query("kql", node.text, compiled, used)

    def _dsl(self, node: Node | None) -> Query | None:
        if node is None:
            self._add("rules/missing-key", self._top(), '"query" is missing', "add it")
            return None
        try:
            used = dsl.check(node)
        except dsl.DslError as error:
            if error.key is not None and isinstance(error.node, Map):
                place = self.document.key(error.node, error.key)
            else:
                place = self.document.place(error.node)
            self._add("rules/query-syntax", place, error.message, error.remedy)
            return None
        text = self.document.text[node.start : node.end].strip()
        return Query("dsl", text, plain(node), used)

    def threshold(self) -> Threshold:
        shape = self.shape.threshold
        if self.shape.kind is not RuleKind.THRESHOLD:
            self._only("threshold", RuleKind.THRESHOLD)
            return Threshold()
        if shape is None:
            message = '"threshold" is missing: kind threshold needs it'
            self._add("rules/missing-key", self._at("kind"), message, "add threshold: {limit: 5}")
            return Threshold()
        block = self.root["threshold"]
        assert isinstance(block, Map)
        place = self.document.key(self.root, "threshold")
        if shape.function is Function.COUNT and shape.field:
            message = 'count counts documents and has no "field"'
            remedy = "remove field, or write function: cardinality, avg, sum, min or max"
            self._add("rules/wrong-value", self.document.key(block, "field"), message, remedy)
        elif shape.function is not Function.COUNT and not shape.field:
            message = f'"field" is missing: {shape.function} needs it'
            self._add("rules/missing-key", place, message, "add the field to measure")
        if shape.function is Function.PERCENTILE and shape.percent is None:
            self._add("rules/missing-key", place, '"percent" is missing', "add percent: 95")
        elif shape.function is not Function.PERCENTILE and shape.percent is not None:
            message = f'"percent" is for function percentile, not {shape.function}'
            self._add("rules/wrong-value", self.document.key(block, "percent"), message, "remove")
        return Threshold(
            function=shape.function,
            field=shape.field,
            percent=shape.percent or 0.0,
            comparison=shape.comparison,
            limit=shape.limit,
            unit=shape.unit,
        )

    def absence(self) -> None:
        if self.shape.kind is not RuleKind.ABSENCE:
            self._only("entities", RuleKind.ABSENCE)
            self._only("forget_after", RuleKind.ABSENCE)
            return
        node = self.root.get("entities")
        for item in node if isinstance(node, Seq) else ():
            assert isinstance(item, Map)
            if set(item) != set(self.shape.group_by) or not item:
                wanted = ", ".join(self.shape.group_by) or "a field in group_by"
                message = "an entity has exactly the fields of group_by"
                self._add("rules/wrong-value", self.document.place(item), message, wanted)

    def words(self) -> None:
        """Fields twice, labels that are taken, templates that can't be read."""
        for key in ("group_by", "evidence", "index"):
            node = self.root.get(key)
            seen: set[str] = set()
            for item in node if isinstance(node, Seq) else ():
                assert isinstance(item, Scalar)
                if item.text in seen:
                    message = f"{shown(item.text)} twice in {key}"
                    place = self.document.place(item)
                    self._add("rules/duplicate", place, message, "remove one")
                seen.add(item.text)
        labels = self.root.get("labels")
        if isinstance(labels, Map):
            for name in labels:
                if name in _RESERVED or not name:
                    place = self.document.key(labels, name)
                    message = f"{shown(name)} is no free label"
                    remedy = _RESERVED.get(name, "give it a name")
                    self._add("rules/reserved-label", place, message, remedy)
        annotations = self.root.get("annotations")
        if isinstance(annotations, Map):
            for node in annotations.values():
                if isinstance(node, Scalar):
                    self._template(node)

    def _template(self, node: Scalar) -> None:
        if len(node.text) > MAX_TEXT:
            message = f"a template is longer than {MAX_TEXT} characters"
            self._add("rules/wrong-value", self.document.place(node), message, "shorten it")
            return
        if "{" not in node.text:
            return
        from jinja2 import Environment, TemplateSyntaxError

        try:
            Environment(autoescape=True).parse(node.text)
        except TemplateSyntaxError as error:
            before = node.text.split("\n")[: error.lineno - 1]
            offset = sum(len(line) + 1 for line in before)
            place = self.document.place(node, offset)
            message = f"not a template: {error.message}"
            self._add("rules/template-syntax", place, message, "see Jinja2's template syntax")
        except RecursionError:
            message = "a template is nested too deep"
            self._add("rules/template-syntax", self.document.place(node), message, "simplify it")

    def times(self) -> None:
        shape = self.shape
        key = "for" if "for" in self.root else "from" if "from" in self.root else "interval"
        place = self._at(key) if key in self.root else self._top()
        self.problems += check_times(
            window=shape.from_,
            interval=shape.interval,
            for_=shape.for_,
            place=place,
            document=self.document,
        )

    def _only(self, key: str, kind: RuleKind) -> None:
        if key in self.root:
            message = f'"{key}" is for kind {kind}, and this rule is of kind {self.shape.kind}'
            place = self.document.key(self.root, key)
            self._add("rules/wrong-value", place, message, f"remove it, or write kind: {kind}")

    def _at(self, key: str) -> Location:
        node = self.root.get(key)
        return self._top() if node is None else self.document.place(node)

    def _top(self) -> Location:
        return self.document.location(self.root.start)

    def _add(self, slug: str, place: Location, message: str, remedy: str) -> None:
        self.problems.append(self.document.problem(slug, place, message, remedy))
