"""The YAML loader: every mistake has its place and plain words, everything is bounded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sre_obs.content import yaml
from sre_obs.content.yaml import Map, Node, Scalar, Seq, parse, plain
from tests.content.problems import lines, pointed


def wrong(text: bytes | str) -> list[str]:
    return lines(parse(text, "a.yml")[1])


def root(text: str) -> Map:
    document, problems = parse(text, "a.yml")
    assert problems == []
    assert isinstance(document.root, Map)
    return document.root


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c\n", '1:5+1 yaml/syntax: ":" in unquoted text | quote it'),
        (
            "a: 1\n b: 2\n",
            '2:3+1 yaml/syntax: ":" in unquoted text | quote it, or mend the indentation',
        ),
        ("a: [1, 2\n", '1:4+1 yaml/syntax: "[" is never closed | close it with "]"'),
        ("{a: 1", '1:1+1 yaml/syntax: "{" is never closed | close it with "}"'),
        ("a: [b c: d e: f]", "1:13+1 yaml/syntax: : where a comma or the end should be | quote it"),
        ("a: 'x\nb: 1\n", "1:4+1 yaml/syntax: the quote is never closed | close it"),
        ('a: "x\nb: 1\n', "1:4+1 yaml/syntax: the quote is never closed | close it"),
        (
            'a: "\\q"\n',
            "1:5+1 yaml/syntax: no such escape in double quotes"
            " | use single quotes, or write \\\\ for a backslash",
        ),
        ('a: "\\ud800"', "1:7+1 yaml/syntax: this escape is no character | correct it"),
        (
            "a:\n\tb: 1\n",
            "2:1+1 yaml/syntax: a tab where spaces should be | indent with spaces",
        ),
        (
            "a: |\n\tx\n",
            "2:1+1 yaml/syntax: a tab where spaces should be | indent with spaces",
        ),
        ("a: @x\n", '1:4+1 yaml/syntax: text can\'t begin with "@" | quote it'),
        ("a: %x\n", '1:4+1 yaml/syntax: text can\'t begin with "%" | quote it'),
        ("a: *\n", '1:4+1 yaml/syntax: text that begins with "*" means something | quote it'),
        (
            "a: *foo\n",
            '1:4+1 yaml/syntax: text that begins with "*" is an alias in YAML | quote it',
        ),
        (
            "a: &x 1\nb: &x 2\n",
            "2:4+1 yaml/syntax: an anchor of that name exists already | give it another name",
        ),
        (
            "- a\nb: 1\n",
            "2:1+1 yaml/syntax: this line is neither in the list nor behind it"
            ' | indent it, or begin it with "- "',
        ),
        (
            "a: 1\n- b\n",
            '2:1+1 yaml/syntax: "- " among keys | indent the list under its key',
        ),
        (
            "a: - b\n",
            '1:4+1 yaml/syntax: "- " where no list can begin | begin the list on a line of its own',
        ),
        (
            "a: 'b' c\n",
            "1:8+1 yaml/syntax: text behind the closing quote | quote all of it, or none",
        ),
        ("a: [b]]\n", '1:7+1 yaml/syntax: "]" closes nothing | remove it, or quote the text'),
        (
            "a: |x\n  b\n",
            '1:5+1 yaml/syntax: text behind "|" or ">" | begin the text on the next line',
        ),
        (
            "a: 1\n---\nb: 2\n",
            "2:1+1 yaml/syntax: a second document in one file | one file, one document",
        ),
        ("%FOO\n", '1:5+1 yaml/syntax: a line that begins with "%" | quote it'),
        (
            "a: 1\nb: 2\na: 3\n",
            '3:1+1 yaml/duplicate-key: "a" twice, first in line 1 | keep one of them',
        ),
        ("? [a]\n: b\n", '1:3+3 yaml/key: a key must be a text | write "name: value"'),
        (
            "a: !!python/object:os.system x\n",
            "1:4+27 yaml/tag: tags (!...) are not supported | remove it",
        ),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            "3:3+2 yaml/merge-key: merge keys are not supported | write them out",
        ),
        ("a: &a [*a]\n", "1:4+1 yaml/alias-bomb: an alias inside what it stands for"),
        (
            "é: \x01\n",
            "1:4+1 yaml/control-character: a control character (U+0001)"
            " | remove it, or write it with an escape in double quotes",
        ),
        ("", "1:1+1 yaml/empty: the file is empty"),
        ("# nothing\n", "1:1+1 yaml/empty: the file is empty"),
        ("a: \ud800", "1:4+1 yaml/encoding: half a character"),
    ],
)
def test_a_mistake_is_told_at_its_character_in_plain_words(text: str, problem: str) -> None:
    assert wrong(text) == [problem]


def test_text_that_is_not_utf_8_is_a_problem_at_the_byte() -> None:
    assert wrong(b"title: caf" + b"\xe9\nb: 1\n") == [
        "1:11+1 yaml/encoding: not UTF-8 text (byte 0xE9) | save the file as UTF-8"
    ]


def test_a_large_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "big.yml"
    file.write_bytes(b"a: b\n" * 2_097_152)  # 10 MiB
    began = time.process_time()
    _, problems = yaml.load(file)
    assert time.process_time() - began < 1.0
    assert lines(problems) == ["1:1+1 yaml/too-large: larger than 1 MiB | split the file"]


def test_a_file_that_can_not_be_opened_is_a_problem(tmp_path: Path) -> None:
    assert lines(yaml.load(tmp_path / "gone.yml")[1]) == [
        "1:1+1 yaml/unreadable: can't read it: No such file or directory"
    ]
    assert lines(yaml.load(tmp_path)[1]) == ["1:1+1 yaml/unreadable: can't read it: Is a directory"]


def test_a_byte_order_mark_does_not_move_the_columns() -> None:
    assert wrong("\ufeffa: b: c".encode()) == ['1:5+1 yaml/syntax: ":" in unquoted text | quote it']


@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_deep_nesting_is_a_problem_and_no_crash(depth: int) -> None:
    (found,) = wrong("[" * depth)
    assert "nested" in found


def test_what_aliases_expand_to_is_bounded_in_time_and_memory() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    began = time.process_time()
    (found,) = wrong(bomb)
    assert time.process_time() - began < 2.0
    assert "yaml/alias-bomb: aliases expand to over 100000 values" in found


def test_a_flood_of_values_is_bounded() -> None:
    (found,) = wrong("[" + "a," * 400_000 + "]")
    assert found == "1:1+1 yaml/too-large: more than 100000 values"


def test_values_stay_as_written_until_a_schema_reads_them() -> None:
    tree = root("day: 2026-11-24\non: yes\nversion: 1.10\nnumber: 0123\nquoted: 'true'\n")
    texts = {name: value.text for name, value in tree.items() if isinstance(value, Scalar)}
    assert texts == {
        "day": "2026-11-24",
        "on": "yes",
        "version": "1.10",
        "number": "0123",
        "quoted": "true",
    }


def test_plain_values_are_of_yaml_1_2_s_core_types() -> None:
    tree = root("[a]: 1\n".replace("[a]", "a") + "b: [true, False, no, ~, 1.5, -2, 1e3, '5', x]\n")
    assert plain(tree) == {
        "a": 1,
        "b": [True, False, "no", None, 1.5, -2, 1000.0, "5", "x"],
    }


def test_the_first_of_a_key_given_twice_counts() -> None:
    document, _ = parse("a: 1\na: 2\n", "a.yml")
    assert document.root is not None
    assert plain(document.root) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("q: one (two", 4, "1:8"),
        ("q: 'it''s (two'", 5, "1:11"),
        ('q: "a\\tb \\u00e9 (two"', 6, "1:17"),
        ("q: |\n  first\n  and (two\n", 10, "3:7"),
        ("q: >\n  first\n\n  and\n  (two\n", 10, "5:3"),
        ("q: first\n  and\n  (two\n", 10, "3:3"),
        ("q: >-   # folded\n    first\n    (two\n", 6, "3:5"),
        ("q: '(two\n  three'", 0, "1:5"),
    ],
)
def test_a_character_of_a_value_is_found_however_it_was_folded(
    text: str, offset: int, place: str
) -> None:
    document, problems = parse(text, "a.yml")
    assert problems == []
    assert isinstance(document.root, Map)
    node = document.root["q"]
    assert isinstance(node, Scalar)
    assert node.text[offset] == "("
    location = document.place(node, offset, 1)
    assert f"{location.line}:{location.column}" == place
    assert pointed(document.problem("x/y", location, "m")) == "("


def test_keys_and_values_have_their_places() -> None:
    document, _ = parse("a: 1\nb:\n  - c: 'two words'\n", "a.yml")
    tree = document.root
    assert isinstance(tree, Map)
    items = tree["b"]
    assert isinstance(items, Seq)
    inner = items[0]
    assert isinstance(inner, Map)
    assert str(document.key(inner, "c")) == "a.yml:3:5"
    assert document.place(inner["c"]).column == 8
    assert document.place(inner["c"]).length == 11


def test_lines_end_as_on_any_system() -> None:
    assert wrong("a: 1\r\nb: c: d\r\n") == ['2:5+1 yaml/syntax: ":" in unquoted text | quote it']


def test_a_node_never_prints_its_text() -> None:
    assert "hunter2" not in repr(root("password: hunter2\n"))


_YAML = st.text(alphabet=st.sampled_from("ab:- \n\t[]{}'\"|>&*!%#,?\\<~0é\u2028\r"), max_size=60)


def _walk(document: yaml.Document, node: Node) -> None:
    place = document.place(node)
    assert place.line >= 1
    if isinstance(node, Scalar):
        for offset in range(min(len(node.text), 5)):
            spot = document.place(node, offset)
            line = document.problem("a/b", spot, "").source
            if not node.text[offset].isspace() and node.style in ("", "|", ">"):
                assert line[spot.column - 1] == node.text[offset]
        return
    for inner in node.values() if isinstance(node, Map) else node:
        _walk(document, inner)


@given(_YAML)
@example("a: |2\n    x\n   y\n")
@example("- >+\n\n  a\n\n\n  b\n")
@example("a: &x |\n  b\nc: *x\n")
def test_any_text_is_a_tree_or_problems_and_every_character_is_found(text: str) -> None:
    document, problems = parse(text, "a.yml")
    assert document.root is not None or problems
    for problem in problems:
        assert 1 <= problem.location.line <= text.count("\n") + text.count("\r") + 1
    if document.root is not None:
        _walk(document, document.root)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_tree_or_problems(data: bytes) -> None:
    document, problems = parse(data, "a.yml")
    assert document.root is not None or problems
