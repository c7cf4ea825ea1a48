# ruff: noqa: E501  # tables: one row is one case
"""A Lucene text finds what query_string finds on a server: its DSL there, and in process."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sre_obs.model.errors import QueryError
from sre_obs.query.lucene import compile_lucene, parse
from sre_obs.query.search import Corpus
from tests.query.parity import cases
from tests.query.parity.compare import ERROR, REFUSED, differences, ours, theirs
from tests.query.parity.server import server_at
from tests.query.parity.test_kql import TYPES
from tests.query.parity.texts import Texts

NOW = 1_800_000_000.0
SEEDS = 20 if os.environ.get("SRE_OBS_TEST_FULL") == "1" else 2
TEXTS = 200

QUERIES = (
    "*:*", "*", "k:alpha", "k:Alpha", 'k:"alpha"', "alpha", '"quick brown"', "quick fox", "al*", "*pha", "10.0.0.1",
    # booleans as Lucene weighs them
    "k:alpha OR k:beta", "k:alpha AND l:1", "k:alpha AND l:1 OR k:beta", "k:beta OR k:alpha AND l:1",
    "k:beta OR k:alpha AND l:1 OR l:2", "k:alpha k:beta", "k:alpha k:beta AND l:2", "+k:alpha k:beta", "+k:alpha +l:1",
    "k:alpha -l:1", "-l:1", "NOT l:1", "NOT k:*", "k:alpha OR NOT l:1", "k:alpha AND NOT l:1", "k:alpha NOT l:1",
    "NOT k:alpha AND NOT l:2", "(NOT k:alpha) OR l:1", "(-k:alpha) (-l:2)", "k:beta OR (NOT k:alpha)", "!k:alpha",
    "k:alpha && l:1", "k:alpha || k:beta", "k:alpha && !l:1", "k:alpha || !l:1", "(k:alpha OR k:beta) AND l:1",
    "k:alpha OR (k:beta AND l:2)", "+(k:alpha k:beta) -l:3", "+k:alpha l:3 AND b:true", "k:alpha AND (l:1 OR (NOT b:true))",
    "k:alpha^2 OR k:beta", "(k:alpha OR k:beta)^0.5 AND l:1", "-(k:alpha k:beta)", "-(-k:alpha)",
    "NOT (NOT k:alpha)", "k:alpha AND l:1 AND NOT b:false OR k:beta", "+k:alpha OR +k:beta", "-k:alpha -k:beta",
    # words
    "k:(alpha beta)", "k:(alpha OR beta)", "k:(zulu with space)", "k:zulu with space", 'k:"zulu with space"',
    r"k:zulu\ with\ space", "k:(+al* -alpha)", "k:(alpha AND al*)", "k:(alpha beta*)", "k:(alpha beta gamma AND beta)",
    "t:quick", "t:(lazy quick AND brown)", "t:(quick brown)", "t:(quick AND brown)", 't:"quick brown"', 't:"brown quick"~2', 't:"quick fox"~1',
    "t:BROWN", "t:disk-full", "t:it's", "t:Straße", r"t:\/var\/log", 't:"/var/log"', "t:95.5%", "t:quick brown",
    't:"quick" brown', "low:alpha", "low:ALPHA", "low:(Alpha beta)", "m:Quick", "m.keyword:Quick", 'm.keyword:"Quick brown"',
    'k:""', 't:""', 'k:"al*pha"', r"k:al\*pha", r"k:al\?pha", r"k:path\\to", 'k:"path\\\\to"', r"k:\u0061lpha", r"k:\é*",
    "short:five5", "null:NULL", "b:true", "b:false", "b:TRUE", "b:yes", "l:1", 'l:"1"', "l:1.5", "l:abc", "l:(1 2)", "l:(1 OR 2)",
    "i:10", "f:0.1", "x:0.1", "h:0.1", "d:2026-01-15", 'd:"2026-01-15T10:00:00Z"', "d:2026-01", r"d:2026-01-15T10\:00\:00Z",
    'd:"2026-01-15||/M"', "d:1769860800000", "ip:10.0.0.1", r"ip:10.0.0.0\/24", 'ip:"10.0.0.0/24"', 'ip:"::1"', "ip:(10.0.0.1 OR 10.0.0.3)",
    # texts without a word: left out
    't:"---"', 't:"---" AND k:alpha', 't:"---" OR k:alpha', 'NOT t:"---"', 'k:alpha AND NOT t:"..."', 't:("--" "..") AND k:alpha',
    'k:"-"', 'k:"-" OR l:1', 'k:"-" AND l:1', '(t:"--" OR k:alpha) AND l:1', '+t:"--" k:alpha',
    # wildcards
    "k:*", "k:al*", "k:*pha", "k:al?ha", "k:?lpha", "k:a*a", "k:**", "k:*a*", r"k:al\**", r"k:al\*p?a", "k:AL*", "low:AL*", "low:*PHA",
    "t:qui*", "t:QUI*", "t:*ick", "t:q?ick", "t:Qu?ck", "t:*", "t:disk-f*", "m:Quick*", "m.keyword:Quick*", "m.keyword:*brown", "l:1*",
    "l:*", "d:2026*", "ip:10*", "b:t*", "k:é*", "t:é*", r"k:zulu\ *", "nope:x*", "o.a:x*", "k:?", "t:?", "k:*?*",
    # ranges
    "l:[1 TO 3]", "l:{1 TO 3}", "l:[1 TO 3}", "l:{1 TO *]", "l:[* TO 3]", "l:>2", "l:>=2", "l:<2", "l:<=2",
    "l:(>1 AND <100)", "l:(+>=2 +<=5)", "l:[-10 TO 0]", 'l:["-10" TO "0"]', "l:[1.5 TO 3]", "l:[abc TO 3]", "f:[0.1 TO 1]", "f:{0.1 TO 3]", "x:>=0.1",
    "k:[alpha TO beta]", "k:{alpha TO beta]", "k:>b", 'k:["zulu" TO *]', "low:[B TO *]", "t:[quick TO *]", "t:{QUICK TO T]", "t:[BROWN TO FOX]",
    "d:[2026-01-15 TO 2026-01-31]", "d:{2026-01-15 TO 2026-01-31}", "d:[2026-01-15T10:00:00 TO *]", "d:[2026-01-15T10:00:00Z TO 2026-01-15T11:00:00Z}",
    "d:>2026-01-15", "d:>=2026-01-15", "d:<2026-01-15", "d:<=2026-01-15", 'd:["2026-01-15T11:00:00+01:00" TO *]', "d:[2026-01-15||/M TO *]",
    "d:[2026 TO 2026]", "d:{* TO now]", r"d:>now-1d\/d", "d:[1769860800000 TO *]", "day:[2026-01-31 TO *]", "day:2026-01-31",
    "ip:[10.0.0.1 TO 10.0.0.3]", 'ip:["::1" TO "::2"]', "ip:{10.0.0.1 TO *}", "b:[true TO *]", "nope:[1 TO 2]", "nope:>1", "o.p.q:>=3",
    # fields that are there, everywhere and nowhere
    "_exists_:k", '_exists_:"k"', "NOT _exists_:k", "_exists_:nope", "_exists_:o", "_exists_:n", "_exists_:n.name", "nope:x", "NOT nope:x", "nope:*",
    r"o.\*:x", r"o.\*:1", r"m\*:quick", r'm\*:"Quick brown"', r"o.\*:*", "*:alpha", "*:al*", "n.name:a", "NOT n.name:a", "aka:alpha", "aka:al*", "aka:[alpha TO beta]",
    "_id:3", "_id:(3 OR 5)",
    # regular expressions
    "k:/al.*/", "k:/[ab].*/", "k:/AL.*/", "t:/qui.*/", "t:/QUI.*/", "t:/Quick/", "low:/ALP.*/", r"k:/path\\to/", "k:/al[*?]pha/", "l:/1/", "nope:/x/", "k:/al.*/ AND l:1",
    r"k:/a\/b|alpha/", "k:/al.+a|beta/ OR l:5",
    # several words without a field
    "quick lazy", "quick AND brown", "quick -lazy", "+quick +brown", "quick brown AND fox", "quick brown fox AND dog", "with space", "with space*",
    "k:alpha quick lazy", "quick k:alpha", "quick NOT lazy", "NOT quick", "true", "2026-01-15", "1 2", "alpha beta gamma", '"alpha" "beta"', '"zulu with space"',
)  # fmt: skip


# query_string forgives these and finds nothing; here they are errors, see the package.
FORGIVEN = frozenset(
    ("b:TRUE", "b:yes", "l:abc", "l:(1 2)", "l:[abc TO 3]", "l:1*", "d:2026*", "ip:10*", "b:t*", "l:/1/")
)  # fmt: skip
# Where the type decides: refused, or stated as a difference.
NEED_TYPES = frozenset(('NOT t:"---"', '+t:"--" k:alpha', "t:{QUICK TO T]", "t:[BROWN TO FOX]"))
PAIRS = [
    (text, typed) for text in QUERIES for typed in (True, False) if typed or text not in NEED_TYPES
]


class Both:
    def __init__(self, url: str) -> None:
        with server_at(url) as server:
            self.index = server.index("lucene", cases.MAPPINGS, cases.DOCUMENTS)
            self.corpus = Corpus()
            self.corpus.create(self.index, cases.MAPPINGS)
            self.corpus.add(self.index, *cases.DOCUMENTS)
            texts = [body_of({"query_string": {"query": text}}) for text in QUERIES]
            self.real = dict(zip(QUERIES, server.searches(self.index, texts), strict=True))
            self.asked: dict[tuple[str, bool], Any] = {}
            bodies = [body_of(dsl_of(*pair)) for pair in PAIRS]
            answers = server.searches(self.index, bodies)
            self.asked = dict(zip(PAIRS, answers, strict=True))


def dsl_of(text: str, typed: bool) -> dict[str, Any]:
    return compile_lucene(parse(text), TYPES if typed else None)


def body_of(query: dict[str, Any]) -> dict[str, Any]:
    return {"size": 50, "_source": False, "query": {"bool": {"filter": query}}}


@pytest.fixture(scope="module")
def both(elasticsearch_url: str) -> Both:
    return Both(elasticsearch_url)


@pytest.mark.server
@pytest.mark.parametrize(("text", "typed"), PAIRS)
def test_finds_what_query_string_finds(both: Both, text: str, typed: bool) -> None:
    dsl = dsl_of(text, typed)
    real = theirs(both.real[text])
    asked = theirs(both.asked[text, typed])
    mine = ours(both.corpus, both.index, body_of(dsl), NOW)
    if text in FORGIVEN:
        assert (real["hits"]["hits"], asked, mine) == ([], ERROR, ERROR), dsl
        return
    assert not differences(asked, real), dsl
    if "~" in text:
        assert str(mine).startswith(REFUSED)  # slop
    else:
        assert not differences(mine, real), dsl


@pytest.mark.server
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_of_texts_finds_what_query_string_finds(elasticsearch_url: str, seed: int) -> None:
    texts = Texts(seed).some(TEXTS)
    compiled = {}
    for text in texts:
        try:
            compiled[text] = dsl_of(text, True), dsl_of(text, False)
        except QueryError:
            continue  # by name: that is the other honest answer
    assert len(compiled) > 0.8 * len(set(texts))
    with server_at(elasticsearch_url) as server:
        index = server.index(f"texts{seed}", cases.MAPPINGS, cases.DOCUMENTS)
        asked = [body_of({"query_string": {"query": text}}) for text in compiled]
        real = server.searches(index, asked)
        typed = server.searches(index, [body_of(pair[0]) for pair in compiled.values()])
        untyped = server.searches(index, [body_of(pair[1]) for pair in compiled.values()])
    corpus = Corpus()
    corpus.create(index, cases.MAPPINGS)
    corpus.add(index, *cases.DOCUMENTS)
    wrong = []
    for (text, pair), *answers in zip(compiled.items(), real, typed, untyped, strict=True):
        wanted, *found = (theirs(answer) for answer in answers)
        found += [ours(corpus, index, body_of(dsl), NOW) for dsl in pair]
        wrong += [f"{text!r}: {diff[:2]}" for one in found if (diff := differences(one, wanted))]
    assert not wrong, f"{len(wrong)} of {len(compiled)} differ:\n" + "\n".join(wrong[:5])
