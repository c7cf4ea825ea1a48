# ruff: noqa: E501  # tables: one row is one case
"""Lucene texts from a seed, with every operator beside every other."""

from __future__ import annotations

from random import Random

_VALUES = {
    "k": ("alpha", "beta", "Alpha", '"alpha"', "al*", "*", "?lpha", '"zulu with space"', "zulu\\ with\\ space",
          "[alpha TO beta]", "{a TO *]", ">b", "<=beta", "/al.*/", '""', '"-"', "gamma"),
    "t": ("quick", "BROWN", '"quick brown"', "qui*", "*", "disk-full", "fox", '"---"', "[a TO d]", "lazy"),
    "l": ("1", "2", ">1", ">=2", "<3", "[1 TO 3]", "{1 TO 3}", "[* TO 2}", "*", '"3"'),
    "d": ("2026-01-15", ">2026-01-15", "[2026-01-15 TO 2026-01-31]", '"2026-02-28"', "*", "<2026"),
    "b": ("true", "false", "*"),
    "ip": ("10.0.0.1", "10.0.0.0\\/24", "[10.0.0.1 TO 10.0.1.0]"),
    "n.name": ("a", "*"),
    "nope": ("x", "*"),
}  # fmt: skip
_WORDS = (
    "quick",
    "brown",
    "alpha",
    "lazy",
    "dog",
    '"quick brown"',
    "al*",
    "10.0.0.1",
    "1",
    "nothing",
)


class Texts:
    """All choices of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def some(self, count: int) -> list[str]:
        return [self._row(0, "") for _ in range(count)]

    def _row(self, depth: int, field: str) -> str:
        pick = self._random.choice
        parts = [self._clause(depth, field)]
        for _ in range(pick([0, 1, 1, 2, 3, 4])):
            # Two values in a row are one text, which query_string forgives a number.
            none = "" if field in ("", "k", "t") else " OR"
            parts.append(pick([none, none, " AND", " OR", " AND", " OR", " &&", " ||"]))
            parts.append(" " + self._clause(depth, field))
        return "".join(parts)

    def _clause(self, depth: int, field: str) -> str:
        pick = self._random.choice
        sign = pick([""] * 6 + ["+", "-", "NOT ", "!"])
        boost = pick([""] * 12 + ["^2", "^0.5"])
        if depth < 3 and self._random.random() < 0.2:
            return f"{sign}({self._row(depth + 1, field)}){boost}"
        if field:
            return f"{sign}{pick(_VALUES[field])}{boost}"
        dice = self._random.random()
        name = pick(list(_VALUES))
        if dice < 0.1:
            return f"{sign}{name}:({self._row(depth + 1, name)}){boost}"
        if dice < 0.15:
            return f"{sign}_exists_:{name}{boost}"
        if dice < 0.3:
            return f"{sign}{pick(_WORDS)}{boost}"
        return f"{sign}{name}:{pick(_VALUES[name])}{boost}"
