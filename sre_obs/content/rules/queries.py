"""A query's text, in the language of its rule, -> `Query`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from sre_obs.content.rules import dsl
from sre_obs.content.rules.schema import MAX_TEXT
from sre_obs.content.rules.written import Written
from sre_obs.content.yaml import Map, Node, Scalar, plain
from sre_obs.model.errors import QueryError
from sre_obs.model.rule import EVERYTHING, Query

Variables = Mapping[str, float | str]


def read_query(
    written: Written,
    node: Node | None,
    language: str,
    variables: Variables,
    *,
    key: str = "query",
) -> Query | None:
    """The query that stands at a node (everything where there is none), or None and a
    problem."""
    if node is None or (isinstance(node, Scalar) and node.empty and language != "dsl"):
        return EVERYTHING if language == "kql" else replace(EVERYTHING, language=language)
    if language == "dsl":
        return _dsl(written, node)
    place = written.document.place(node)
    if not isinstance(node, Scalar):
        name = {"kql": "KQL", "lucene": "Lucene"}[language]
        written.add(
            "rules/wrong-value", place, f'"{key}" must be a text in {name}', "language: dsl"
        )
        return None
    if len(node.text) > MAX_TEXT:
        message = f'"{key}" is longer than {MAX_TEXT} characters'
        written.add("rules/wrong-value", place, message, "split the rule")
        return None
    try:
        return compile_query(node.text, language, variables)
    except QueryError as error:
        unknown = error.message.startswith("there is no variable")
        written.add_query(
            node, error, slug="rules/unknown-variable" if unknown else "rules/query-syntax"
        )
        return None


def compile_query(text: str, language: str, variables: Variables) -> Query:
    """A text in KQL or Lucene. Raises QueryError."""
    if "${" not in text:
        return _compiled(text, language)
    texts = {name: text_of_variable(value) for name, value in variables.items()}
    return _compile(text, language, texts)


def narrowed(query: Query, without: Query) -> Query:
    """What the one finds and the other does not."""
    inner = [] if query.dsl == EVERYTHING.dsl else [query.dsl]
    found = {"bool": {**({"filter": inner} if inner else {}), "must_not": [without.dsl]}}
    also, but = (" AND ", "NOT") if without.language == "lucene" else (" and ", "not")
    text = (f"({query.text}){also}" if inner else "") + f"{but} ({without.text})"
    fields = tuple(dict.fromkeys((*query.fields, *without.fields)))
    return Query(without.language, text, found, fields)


def text_of_variable(value: float | str) -> str:
    """A variable as it stands in a query: 5, 0.9, a text."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


@lru_cache(maxsize=4_096)
def _compiled(text: str, language: str) -> Query:
    return _compile(text, language, {})


def _compile(text: str, language: str, variables: Mapping[str, str]) -> Query:
    if language == "lucene":
        from sre_obs.query import lucene

        clauses = lucene.parse(text, variables)
        used = dict.fromkeys(use.field for use in lucene.fields(clauses))
        return Query("lucene", text, lucene.compile_lucene(clauses, None), tuple(used))
    from sre_obs.query import kql

    tree = kql.parse(text, variables)
    used = dict.fromkeys(use.field for use in kql.fields(tree))
    return Query("kql", text, kql.compile_kql(tree, None), tuple(used))


def _dsl(written: Written, node: Node) -> Query | None:
    document = written.document
    try:
        used = dsl.check(node)
    except dsl.DslError as error:
        if error.key is not None and isinstance(error.node, Map):
            place = document.key(error.node, error.key)
        else:
            place = document.place(error.node)
        written.add("rules/query-syntax", place, error.message, error.remedy)
        return None
    text = document.text[node.start : node.end].strip()
    at = text.find("${")
    if at >= 0:
        # Its values have types: a text put in for a number would match nothing, silently.
        at += document.text.index(text, node.start)
        place = document.location(at, at + 2)
        written.add(
            "rules/query-syntax",
            place,
            "variables are for KQL and Lucene",
            "write the value, or KQL",
        )
        return None
    return Query("dsl", text, plain(node), used)
