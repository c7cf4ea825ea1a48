"""Many lists of matchers, of which those that hold for some labels are found at once.

A list is filed under one of its matchers that narrows it down most; only lists filed
where the labels point are then tried as a whole. So a thousand routes or silences cost
little more than ten, whether they compare or use regular expressions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.query.matchers import compile_matchers

# Below so many lists trying each is faster than looking it up.
_FEW = 8
# Per label name: values whose patterns were looked up, so that each is looked up once.
_REMEMBERED = 4096
_LONG = 1000  # characters; longer values are looked up again rather than kept
# Characters that give a pattern meaning; without them it is a list of plain values.
_META = re.compile(r"[\\.+*?()\[\]{}^$]")
_ALWAYS = "(?s).*"
# Characters of patterns in one automaton, which takes about a microsecond each to build.
_ROOM = 200_000


class MatcherIndex:
    """Lists of matchers by position. Raises QueryError for a wrong pattern."""

    def __init__(self, lists: Sequence[Sequence[Matcher]]) -> None:
        self._tests = [compile_matchers(matchers) for matchers in lists]
        self._names: dict[str, _Values] = {}
        self._always: list[int] = []
        if len(lists) <= _FEW:
            self._always = list(range(len(lists)))
            return
        common = Counter(m for matchers in lists for m in matchers if m.op is MatchOp.EQUAL)
        for position, matchers in enumerate(lists):
            self._file(position, matchers, common)
        for values in self._names.values():
            self._always.extend(values.close())
        self._always.sort()

    def matching(self, labels: Mapping[str, str]) -> Iterator[int]:
        """Positions of the lists that hold, in order, found as they are asked for."""
        candidates: Sequence[int] = self._always
        found: list[int] = []
        for name, values in self._names.items():
            found.extend(values.positions(labels.get(name, "")))
        if found:
            candidates = sorted([*found, *candidates])
        tests = self._tests
        for position in candidates:
            if tests[position](labels):
                yield position

    def _file(self, position: int, matchers: Sequence[Matcher], common: Counter[Matcher]) -> None:
        equal = [m for m in matchers if m.op is MatchOp.EQUAL]
        if equal:
            rarest = min(equal, key=lambda m: common[m])
            self._values(rarest.name).exact(rarest.value, position)
            return
        # A counted repetition makes a short text a large program; the automaton of all
        # patterns is built anew at each change, so such a list is tried by itself.
        patterns = [m for m in matchers if m.op is MatchOp.REGEX and "{" not in m.value]
        plain = [m for m in patterns if not _META.search(m.value)]
        if plain:
            for value in plain[0].value.split("|"):
                self._values(plain[0].name).exact(value, position)
        elif not patterns or not self._values(patterns[0].name).pattern(
            patterns[0].value, position
        ):
            self._always.append(position)

    def _values(self, name: str) -> _Values:
        return self._names.setdefault(name, _Values())


class _Values:
    """What is filed under one label name: by value, and by pattern in one automaton."""

    def __init__(self) -> None:
        self._exact: dict[str, list[int]] = {}
        self._patterns: list[tuple[str, int]] = []
        self._room = _ROOM
        self._set: object = None
        self._memo: dict[str, tuple[int, ...]] = {}

    def exact(self, value: str, position: int) -> None:
        positions = self._exact.setdefault(value, [])
        if position not in positions[-1:]:  # "a|a"
            positions.append(position)

    def pattern(self, pattern: str, position: int) -> bool:
        """File it, if the automaton has room for it."""
        self._room -= len(pattern)
        if self._room < 0:
            return False
        self._patterns.append((pattern, position))
        return True

    def close(self) -> list[int]:
        """Build the automaton; positions that it has no room for, to be always tried."""
        if not self._patterns:
            return []
        import re2

        options = re2.Options()
        options.log_errors = False
        self._set = together = re2.Set.FullMatchSet(options)
        try:
            for pattern, _ in self._patterns:
                together.Add(pattern)
            # An automaton that runs out of memory answers "none" without a word. The
            # pattern that always matches tells that from a true "none".
            together.Add(_ALWAYS)
            together.Compile()
        except re2.error:
            dropped = [position for _, position in self._patterns]
            self._patterns, self._set = [], None
            return dropped
        return []

    def positions(self, value: str) -> Sequence[int]:
        if self._set is None:
            return self._exact.get(value, ())
        found = self._memo.get(value)
        if found is None:
            found = (*self._exact.get(value, ()), *self._matched(value))
            if len(value) <= _LONG:
                if len(self._memo) >= _REMEMBERED:
                    self._memo.clear()
                self._memo[value] = found
        return found

    def _matched(self, value: str) -> list[int]:
        try:
            numbers = self._set.Match(value)  # type: ignore[attr-defined]
        except UnicodeEncodeError:  # a lone surrogate: each predicate says no for itself
            numbers = []
        if len(self._patterns) not in numbers:
            return [position for _, position in self._patterns]
        return [self._patterns[n][1] for n in numbers if n < len(self._patterns)]
