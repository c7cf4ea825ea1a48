# ruff: noqa: E501  # tables: one row is one case
"""A KQL query finds on a server what it finds in process, whether types are known or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sre_obs.query.kql import compile_kql, parse
from sre_obs.query.search import Corpus
from tests.query.parity import cases
from tests.query.parity.compare import differences, ours, theirs
from tests.query.parity.server import Server, server_at

NOW = 1_800_000_000.0
TYPES = {
    "k": "keyword", "low": "keyword", "short": "keyword", "t": "text", "m": "text", "m.keyword": "keyword",
    "l": "long", "i": "integer", "f": "float", "x": "double", "d": "date", "day": "date", "b": "boolean",
    "ip": "ip", "o.a": "keyword", "o.p.q": "long", "n": "nested", "n.name": "keyword", "n.v": "long",
    "n.deep": "nested", "n.deep.z": "keyword",
}  # fmt: skip

QUERIES = (
    "", "*:*", "k: alpha", "k: Alpha", 'k: "alpha"', "k: al*", r"k: al\*pha", r"k: al\**", "k: *", "not k: *",
    'k: "zulu with space"', "k: zulu with space", "k: zulu*", "k: (alpha or beta)", "k: (al* and not alpha)",
    "t: quick", "t: quick brown", 't: "quick brown"', "t: qui* lazy", "t: BROWN", "t: *", "t: disk-full",
    'm: "quick brown"', "m: Quick*", "m.keyword: Quick*", "l: 1", "l >= 2", "l > 1 and l < 100", "l: (1 or 2)",
    "f >= 0.1", "x < 1.5", "b: true", "b: false", "not b: true", 'd: "2026-01-15"', "d: 2026-01-15",
    'd >= "2026-01-31" and d < "2026-03-01"', 'd > "2026-01-15||+1d/d"', "ip: 10.0.0.1", 'ip: "10.0.0.0/24"',
    "o.a: x", "o.*: x", "o.p.q >= 2", "alpha", '"quick brown"', "quick fox", "al*", "10.0.0.1", "*pha",
    "n: { name: a and v: 2 }", "n: { name: a } and n: { v: 6 }", "not n: { name: a }", "n: { deep: { z: q } }",
    "k: alpha and (l: 1 or b: true) and not ip: *", "low: alpha", "low: AL*", "short: five5", "nope: x", "nope: *",
    "not nope: *", "k: al* or t: (quick and not dog)", 'k: "al*pha"', r"k: path\\to", 'k: "path\\\\to"', "k: é*",
)  # fmt: skip


class Both:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.index = server.index("kql", cases.MAPPINGS, cases.DOCUMENTS)
        self.corpus = Corpus()
        self.corpus.create(self.index, cases.MAPPINGS)
        self.corpus.add(self.index, *cases.DOCUMENTS)


@pytest.fixture(scope="module")
def both(elasticsearch_url: str) -> Iterator[Both]:
    with server_at(elasticsearch_url) as server:
        yield Both(server)


@pytest.mark.server
@pytest.mark.parametrize("typed", [True, False], ids=["types known", "types unknown"])
@pytest.mark.parametrize("text", QUERIES)
def test_finds_what_the_server_finds(both: Both, text: str, typed: bool) -> None:
    query = compile_kql(parse(text), TYPES if typed else None)
    body = {"size": 50, "_source": False, "query": {"bool": {"filter": query}}}
    answer = both.server.searches(both.index, [body])[0]
    mine = ours(both.corpus, both.index, body, NOW)
    assert not differences(mine, theirs(answer)), query
