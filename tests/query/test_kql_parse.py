# ruff: noqa: E501  # tables: one row is one case
"""KQL: what it reads, and where it points when it can't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.query.kql import (
    MAX_DEPTH,
    And,
    Is,
    Literal,
    Nested,
    Node,
    Not,
    Or,
    Range,
    Use,
    Wildcard,
    compile_kql,
    fields,
    parse,
)
from sre_obs.query.kql.nodes import Name


def shape(node: Node) -> str:
    """The tree without spans: ``and(is(a, b), not(is(c, "d")))``."""
    match node:
        case And() | Or():
            return f"{type(node).__name__.lower()}({', '.join(map(shape, node.nodes))})"
        case Not():
            return f"not({shape(node.node)})"
        case Nested():
            return f"nested({name(node.path)}, {shape(node.query)})"
        case Range():
            return f"{node.op}({name(node.field)}, {name(node.value)})"
        case Is():
            return f"is({name(node.field) if node.field else '-'}, {name(node.value)})"


def name(of: Name) -> str:
    if isinstance(of, Wildcard):
        return "~" + "*".join(of.parts)
    if isinstance(of.value, bool):
        return str(of.value)
    return f'"{of.value}"' if of.quoted else of.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:b", "is(a, b)"),
        ("a : b", "is(a, b)"),
        ('a:"b c"', 'is(a, "b c")'),
        ("", "is(~*, ~*)"),
        (" \n\t ", "is(~*, ~*)"),
        ("*:*", "is(~*, ~*)"),
        ("*", "is(-, ~*)"),
        ("a:*", "is(a, ~*)"),
        ("a:b*", "is(a, ~b*)"),
        ("a:*b*c", "is(a, ~*b*c)"),
        ("a.*:b", "is(~a.*, b)"),
        ("word", "is(-, word)"),
        ("two words", "is(-, two words)"),
        ('"a phrase"', 'is(-, "a phrase")'),
        ("message: disk full", "is(message, disk full)"),
        ("a: b  ", "is(a, b)"),
        ("a:1 and b:2", "and(is(a, 1), is(b, 2))"),
        ("a:1 AND b:2 aNd c:3", "and(is(a, 1), is(b, 2), is(c, 3))"),
        ("a:1 or b:2 and c:3", "or(is(a, 1), and(is(b, 2), is(c, 3)))"),
        ("(a:1 or b:2) and c:3", "and(or(is(a, 1), is(b, 2)), is(c, 3))"),
        ("not a:1 and b:2", "and(not(is(a, 1)), is(b, 2))"),
        ("NOT (a:1 or b:2)", "not(or(is(a, 1), is(b, 2)))"),
        ("a:1 and not b:2 or c:3", "or(and(is(a, 1), not(is(b, 2))), is(c, 3))"),
        ("((a:1))", "is(a, 1)"),
        ("a >= 5", "gte(a, 5)"),
        ("a>5", "gt(a, 5)"),
        ("a <= 5 and a < 6", "and(lte(a, 5), lt(a, 6))"),
        ('a >= "now-1d/d"', 'gte(a, "now-1d/d")'),
        ("a < -1.5", "lt(a, -1.5)"),
        ("a:(b or c)", "or(is(a, b), is(a, c))"),
        ("a:(b or c and not d)", "or(is(a, b), and(is(a, c), not(is(a, d))))"),
        ('a:("x y" or z* )', 'or(is(a, "x y"), is(a, ~z*))'),
        ("a:(b and (c or d))", "and(is(a, b), or(is(a, c), is(a, d)))"),
        ("a:(not b)", "not(is(a, b))"),
        ("n:{ a:b and c:d }", "nested(n, and(is(a, b), is(c, d)))"),
        ("n:{a:{b:c}}", "nested(n, nested(a, is(b, c)))"),
        ("a:true and b:false", "and(is(a, True), is(b, False))"),
        ('a:"true"', 'is(a, "true")'),
        (r"a\:b: c", "is(a:b, c)"),
        (r"a: b\:c\(d\)\<\>\{\}\"\*\\", 'is(a, b:c(d)<>{}"*\\)'),
        (r"a: \and", "is(a, and)"),
        (r"a: b \or c", "is(a, b or c)"),
        (r"\not: x", "is(not, x)"),
        (r"a: x\ty\nz\r1", "is(a, x\ty\nz\r1)"),
        (r"a: caf\u00e9", "is(a, café)"),
        (r'a: "say \"x\" \\ \n \u00E9 \d"', 'is(a, "say "x" \\ \n é \\d")'),
        ("日本: 語*", "is(日本, ~語*)"),
        ("a: über", "is(a, über)"),
        ("order: android", "is(order, android)"),
        ("a: nothing", "is(a, nothing)"),
        ("a: oracle or b: andy", "or(is(a, oracle), is(b, andy))"),
        ("a\xa0:\xa0b", "is(a, b)"),
        ("a: b-c_d.e/f@g", "is(a, b-c_d.e/f@g)"),
        ("a: 10.0.0.0/8", "is(a, 10.0.0.0/8)"),
        ('"a b": c', 'is("a b", c)'),
        ("a: x = y", None),
        ("foo* bar", "is(-, ~foo* bar)"),
    ],
)
def test_reads(text: str, expected: str | None) -> None:
    if expected is None:
        assert shape(parse(text))
    else:
        assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "offset", "length", "remedy"),
    [
        ("a = b", 2, 1, "write field: value"),
        ("a == b", 2, 2, "write field: value"),
        ("a != b", 2, 2, "write not field: value"),
        ("x: y and a=b", 10, 1, "write field: value"),
        ("a:=b", 2, 1, "remove it"),
        ("a: == b", 3, 1, "remove it"),
        ("a:b && c:d", 4, 2, "write and"),
        ("a:b || c:d", 4, 2, "write or"),
        ("!a:b", 0, 1, "write not a: ..."),
        ("-a:b", 0, 1, "write not a: ..."),
        ("+a:b", 0, 1, "remove the +"),
        ('a:"b', 2, 2, "close it"),
        ('"abc', 0, 4, "close it"),
        ("(a:b", 0, 1, "close it with )"),
        ("a:b and (c:d", 8, 1, "close it with )"),
        ("n:{a:b", 2, 1, "close it with }"),
        ("a:(b", 2, 1, "close it with )"),
        ("a:b)", 3, 1, "remove it"),
        ("a:b}", 3, 1, "remove it"),
        ("(a:b}", 4, 1, ""),
        ("a: >= 5", 3, 1, "a range has no colon"),
        ("a: not b", 3, 3, "write not field: value"),
        ("a >= ", 3, 1, ""),
        ("a:", 1, 1, ""),
        (":b", 0, 1, "write a field before the colon"),
        ("a:b and", 4, 3, "the other clause"),
        ("a:b or ", 4, 2, "the other clause"),
        ("and a:b", 0, 3, "the other clause"),
        ("or", 0, 2, "the other clause"),
        ("a:b and or c:d", 8, 2, "the other clause"),
        ("a:b and not", 8, 3, "the other clause"),
        ("not not a:b", 4, 3, "not (not ...)"),
        ("a: (not not b)", 8, 3, "not (not ...)"),
        ("not(a:b)", 0, 3, "not (...)"),
        ("a:b and(c:d)", 4, 3, "and (...)"),
        ("a:b c:d", 5, 1, "put and or or before c"),
        ("a:b:c", 3, 1, "quote the value"),
        ("a:b (c:d)", 4, 1, "put and or or between"),
        ('a:b "c"', 4, 1, "put and or or between"),
        ("a:()", 3, 1, ""),
        ("()", 1, 1, ""),
        ("a b:c", 0, 3, "put and or or between"),
        ("a: null", 3, 4, "not field: *"),
        ("a: 'b c'", 3, 5, "use double quotes"),
        ("a: [1 TO 5]", 3, 8, "field >= a and field <= b"),
        ("a: [1 to 5]", 3, 8, "field >= a and field <= b"),
        ("a: /sh.*/", 3, 6, "language: lucene"),
        ("a: /sh[0-9]/ and b: c", 3, 9, "language: lucene"),
        ("a: (b or /^x/)", 9, 4, "language: lucene"),
        ("/b.*/", 0, 5, "language: lucene"),
        ("_exists_:a", 0, 8, "field: *"),
        ("a > 5*", 4, 2, "can't have"),
        ("a*:{b:c}", 0, 2, "one group for each path"),
        (r"a: b\d", 4, 2, "for a backslash"),
        ("m: cannot open", 6, 3, "quote the value"),
        ("a: *:b", 4, 1, "quote the value"),
        ("a:b or\u2003c:d:e", 8, 1, ""),
    ],
)
def test_points_at_the_mistake(text: str, offset: int, length: int, remedy: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.offset, caught.value.length) == (offset, length)
    assert remedy in caught.value.remedy or remedy in caught.value.message


def test_spans_cover_what_they_name() -> None:
    text = 'kubernetes.namespace : "prod" and not (restarts >= 5 or n:{ a:(b or c*) })'
    node = parse(text)

    def walk(one: Node) -> None:
        match one:
            case And() | Or():
                assert one.start == one.nodes[0].start
                assert one.end == one.nodes[-1].end
                for child in one.nodes:
                    walk(child)
            case Not():
                assert text[one.start :].startswith("not")
                walk(one.node)
            case Nested():
                assert text[one.start : one.end].startswith("n:{")
                assert text[one.end - 1] == "}"
                walk(one.query)
            case Is() | Range():
                if one.field is not None:
                    assert text[one.field.start : one.field.end] == name(one.field)
                assert text[one.value.start : one.value.end] == name(one.value).lstrip("~")

    walk(node)


def test_the_quick_way_and_the_general_way_agree() -> None:
    for text in ("a:b", 'a:"b"', "a >= 5", "a:b and c:d", "(a:b)", "a.b_c@d-e : x/y.z"):
        general = text.replace("a", "\\u0061", 1)  # an escape is not for the quick pattern
        assert shape(parse(text)) == shape(parse(general))


def test_depth_is_bounded() -> None:
    fine = "(" * MAX_DEPTH + "a:b" + ")" * MAX_DEPTH
    assert shape(parse(fine)) == "is(a, b)"
    for opened, closed in (("(", ")"), ("not (", ")"), ("n:{", "}")):
        with pytest.raises(QueryError, match="nested deeper"):
            parse(opened * 200 + "a:b" + closed * 200)
    with pytest.raises(QueryError, match="nested deeper"):
        parse("a:" + "(" * 200 + "b" + ")" * 200)


def test_the_deepest_query_compiles() -> None:
    text = "a:b"
    for _ in range(MAX_DEPTH):
        text = f"not (x:y and ({text} or c:d)" + ")" if text.count("(") < MAX_DEPTH - 1 else text
    assert compile_kql(parse(text), None)


def test_fields_are_listed_with_their_use() -> None:
    text = 'a:1 and b:"x" and c:* and d >= 5 and n:{ e:f* and g:{h:1} } and i*:2 and word'
    found = [(u.field, text[u.start : u.end], u.use, u.pattern) for u in fields(parse(text))]
    assert found == [
        ("a", "a", Use.TERM, False),
        ("b", "b", Use.PHRASE, False),
        ("c", "c", Use.EXISTS, False),
        ("d", "d", Use.RANGE, False),
        ("n", "n", Use.NESTED, False),
        ("n.e", "e", Use.WILDCARD, False),
        ("n.g", "g", Use.NESTED, False),
        ("n.g.h", "h", Use.TERM, False),
        ("i*", "i*", Use.TERM, True),
    ]


def test_a_list_of_values_uses_its_field_once_a_value() -> None:
    assert [u.value for u in fields(parse('a:(x or "y" or z*)'))] == ["x", "y", "z*"]


def placed(error: QueryError, text: str) -> None:
    """The error points into the text."""
    assert 0 <= error.offset <= max(len(text), 1)
    assert error.length >= 1


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except QueryError as error:
        placed(error, text)
        return
    compile_kql(node, None)
    for use in fields(node):
        assert 0 <= use.start <= use.end <= len(text)


_PIECES = st.sampled_from(
    ["a", "b.c", ":", ": ", " ", "  ", "(", ")", "{", "}", '"', "\\", "*", "and", "or", "not", " and ",
     " or ", " not ", "not ", "<", ">=", "=", "null", "true", "\\u0041", "'", "[", "&&", "!", "-", "1.5", "é"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_any_pile_of_pieces_is_read_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except QueryError as error:
        placed(error, text)
        return
    compile_kql(node, {"a": "keyword", "b.c": "date", "n": "nested", "n.x": "long"})
    fields(node)


_VALUE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(_VALUE, _VALUE)
def test_whatever_is_quoted_comes_back(field: str, value: str) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    node = parse(f"{quoted(field)}: {quoted(value)}")
    assert isinstance(node, Is)
    assert isinstance(node.field, Literal)
    assert isinstance(node.value, Literal)
    assert (node.field.value, node.value.value) == (field, value)


def test_long_texts_take_linear_time() -> None:
    # A quadratic reader would need minutes for these.
    for text in (
        " " * 200_000,
        "a" * 200_000,
        "a:" + "x " * 100_000 + "y",
        "(" * 100_000,
        '"' + "\\" * 200_000,
    ):
        try:
            parse(text)
        except QueryError as error:
            placed(error, text)
