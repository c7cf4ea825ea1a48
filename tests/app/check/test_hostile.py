"""Whatever stands in a file, a check ends with findings: no stack, no hour, no gigabyte."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.app.usecases.check.entry import MOST
from sre_obs.app.usecases.check.run import Report
from tests.app.check.folder import GOOD, look, slugs, write
from tests.content.checks.looking import rule

NAMES = (
    "shop/rule.yml",
    "routes.yml",
    "silences.yml",
    "overrides.yml",
    "shop/rule.test.yml",
    "telemetry/pack.yml",
)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "only a comment": "# nothing\n",
    "malformed": "title: [\n  - {\n",
    "a key twice": "title: x\ntitle: y\nkind: query\n",
    "an anchor bomb": BOMB,
    "an anchor in itself": "a: &a [*a]\n",
    "ten MiB": b"title: " + b"x" * (10 * 2**20),
    "not UTF-8": b"title: caf\xe9\n",
    "UTF-16": "title: x\n".encode("utf-16"),
    "a NUL byte": b"title: a\x00b\n",
    "binary": bytes(range(256)) * 50,
    "deep": "[" * 5_000,
    "deep maps": "{a: " * 5_000,
    "a text": "just text",
    "a list": "- a\n- b\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a tag": "title: !!python/object:os.system x\n",
    "a merge key": "<<: {a: 1}\ntitle: x\n",
    "half a character": b"title: \xed\xa0\x80\n",
    "terminal codes": 'title: "\\e[2J"\n"\\e]0;x": 1\n',
    "thousands of keys": "".join(f"key{n}: 1\n" for n in range(20_000)),
    "thousands of keys in one line": "{" + ", ".join(f"k{n}: 1" for n in range(20_000)) + "}",
    "a key thousands of times": "{" + "a: 1, " * 20_000 + "}",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_that_is_no_such_file_is_a_finding(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    write(tmp_path, {name: text})
    if name.endswith(".test.yml"):
        write(tmp_path, {"shop/rule.yml": GOOD})
    began = process_time()
    report = look(tmp_path / name)
    assert process_time() - began < 5
    assert report.findings
    assert len(report.findings) <= MOST + 1
    assert sum(len(p.source) for p in report.findings) < 2**20
    assert all(p.location.line >= 1 and p.location.column >= 1 for p in report.findings)


QUERIES = {
    "deep parentheses": "(" * 4_000 + "a: 1" + ")" * 4_000,
    "deep nots": "not " * 2_000 + "a: 1",
    "many clauses": " or ".join(f"a{n}: 1" for n in range(1_000)),
    "many stars": "a: " + "*a" * 4_000,
    "many unknown fields": " and ".join(f"kubernetes.x{n}: 1" for n in range(500)),
    "many contradictions": " and ".join(f"kubernetes.namespace: v{n}" for n in range(300)),
    "many alternatives": " and ".join(f"(host.name: a{n} or host.name: b{n})" for n in range(200)),
    "a star as a field": "*.*.*.*.*: x",
    "a long number": "kubernetes.pod.status.ready_time > " + "9" * 9_000,
    "not a number": "kubernetes.pod.status.ready_time > nan",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_hostile_query_is_looked_at_in_bounded_time(tmp_path: Path, query: str) -> None:
    write(tmp_path, {"shop/rule.yml": rule(f"query: '{query}'")})
    began = process_time()
    report = look(tmp_path)
    assert process_time() - began < 5
    assert report.findings


TEMPLATES = {
    "deep": "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
    "a power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "a long loop": "{% for a in range(99999999) %}{{ range(99999999) | sum }}{% endfor %}",
    "an attribute of everything": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "many digits": "{{ " + "9" * 6_000 + " }}",
    "many names": "{{ " + " ~ ".join(f"labels.x{n}" for n in range(500)) + " }}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_a_hostile_template_is_not_run(tmp_path: Path, template: str) -> None:
    write(tmp_path, {"shop/rule.yml": rule(f'annotations: {{summary: "{template}"}}')})
    began = process_time()
    assert isinstance(look(tmp_path), Report)
    assert process_time() - began < 5


ROUTES = "route:\n  receiver: a\n  routes:\n    - matchers: ['{}']\nreceivers: [{{name: a}}]\n"


@pytest.mark.parametrize(
    "matcher",
    [
        'a=~"(a+)+b"',
        'a=~"' + "(" * 2_000 + '"',
        'a=~"(x{1000}){1000}"',
        'a=~"' + "a|" * 4_000 + '"',
    ],
)
def test_a_hostile_pattern_is_looked_at_in_bounded_time(tmp_path: Path, matcher: str) -> None:
    write(tmp_path, {"routes.yml": ROUTES.format(matcher)})
    began = process_time()
    assert isinstance(look(tmp_path), Report)
    assert process_time() - began < 5


def test_a_file_that_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    """A folder of that name stands in for a mode, which root does not mind."""
    write(tmp_path, {"shop/rule.yml": GOOD})
    (tmp_path / "gone.yml").symlink_to("nowhere")
    assert slugs(look(tmp_path / "gone.yml")) == ["gone.yml:1 yaml/unreadable"]


def test_thousands_of_rules_are_compared_in_one_pass(tmp_path: Path) -> None:
    texts: dict[str, str | bytes] = {f"shop/r{n}.yml": GOOD for n in range(600)}
    write(tmp_path, texts)
    report = look(tmp_path)
    assert sum(p.slug == "rules/duplicate" for p in report.findings) == 599


HEADS = {
    "shop/rule.yml": "title: x\nkind: threshold\nindex: logs-a-*\nseverity: info\nthreshold: ",
    "routes.yml": "receivers: [{name: a}]\nroute: ",
    "silences.yml": "silences: ",
    "overrides.yml": "rules: ",
    "shop/rule.test.yml": "cases: ",
    "telemetry/pack.yml": "pack: a\nstreams: ",
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "title",
                        "kind",
                        "index",
                        "query",
                        "limit",
                        "measures",
                        "value",
                        "when",
                        "by",
                    ),
                    *(
                        "matchers",
                        "routes",
                        "receiver",
                        "starts",
                        "ends",
                        "comment",
                        "fields",
                        "name",
                    ),
                    *("documents", "expect", "series", "count", "every", "like", "but", "each"),
                    *("type", "period", "a", "entities", "levels", "variables"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(name=st.sampled_from(NAMES), data=st.binary(max_size=400))
def test_any_bytes_are_only_findings(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    folder = write(tmp_path_factory.mktemp("any"), {name: data})
    assert isinstance(look(folder / name), Report)


@given(name=st.sampled_from(NAMES), text=st.text(max_size=400))
def test_any_text_behind_a_good_head_is_only_findings(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    data = (HEADS[name] + text).encode("utf-8", "surrogatepass")
    folder = write(tmp_path_factory.mktemp("text"), {name: data})
    assert isinstance(look(folder / name), Report)


@given(name=st.sampled_from(NAMES), value=VALUES)
def test_any_tree_in_the_place_of_a_block_is_only_findings(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object
) -> None:
    import json

    text = HEADS[name] + json.dumps(value) + "\n"
    folder = write(tmp_path_factory.mktemp("tree"), {name: text})
    assert isinstance(look(folder / name), Report)


@given(query=st.text(max_size=80), expression=st.text(max_size=60), summary=st.text(max_size=60))
def test_any_query_expression_and_template_are_only_findings(
    tmp_path_factory: pytest.TempPathFactory, query: str, expression: str, summary: str
) -> None:
    import json

    text = rule(
        f"query: {json.dumps(query)}",
        "measures: {a: {}, b: {}}",
        f"value: {json.dumps('a / ' + expression)}",
        f"annotations: {{summary: {json.dumps('{{ labels.' + summary)}}}",
    )
    folder = write(tmp_path_factory.mktemp("rule"), {"shop/rule.yml": text})
    assert isinstance(look(folder), Report)
