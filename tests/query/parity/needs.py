"""What `evaluate` may ask at all, from a seed: needs of every form, as requests."""

from __future__ import annotations

from sre_obs.evaluate.needs import Entities, Figure, Newest, Of, Samples, Span, figure, key_of
from sre_obs.evaluate.request import request_of
from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary
from tests.query.parity.generate import Generator, Json

_START = 1_768_435_200.0  # 2026-01-15T00:00:00Z, where the documents begin
_GROUPS = ("k", "j", "o.a", "t.keyword", "ip", "b")
_NUMBERS = ("l", "i", "f", "x", "o.v")


class Needs(Generator):
    """All choices of one seed."""

    def _request(self) -> Json:
        dice = self._random.random()
        if dice < 0.05:
            return dict(request_of(Newest(self._span())).body)
        if dice < 0.15:
            group_by = tuple(self._random.sample(_GROUPS[:3], 2))
            values = [self._random.choice(["a", "b", "ab", None]) for _ in group_by]
            key, shown = key_of(values), ("k", "o", "l")
            samples = Samples(self._span(), self._filters(), group_by, key, shown)
            return dict(request_of(samples).body)
        return dict(request_of(self._entities()).body)

    def _entities(self) -> Entities:
        figures = tuple(self._figure() for _ in range(self._random.randint(1, 4)))
        plain = [n for n, one in enumerate(figures) if one.of not in _PARTS]
        group_by = tuple(self._random.sample(_GROUPS, self._random.randint(0, 3)))
        keep = self._truth(plain, 0) if plain and group_by and self._chance(0.7) else None
        among = None
        if group_by and self._chance(0.2):
            depth = self._random.randint(1, len(group_by))
            texts = group_by[:depth]
            if not {"ip", "b"}.intersection(texts):
                values = ["a", "b", "ab", "", "é"]
                keys = [[self._random.choice(values) for _ in texts] for _ in range(2)]
                among = tuple(key_of(key) for key in keys)
        return Entities(
            self._span(), self._filters(), group_by, figures, keep, among, self._chance(0.2)
        )

    def _span(self) -> Span:
        end = _START + self._random.choice([30, 60, 1800, 3600.25, 7200])
        length = self._random.choice([30, 300, 3600, 86_400])
        return Span(("*",), end - length, end)

    def _filters(self) -> tuple[Json, ...]:
        return tuple(self._query(2) for _ in range(self._random.choice([0, 0, 1, 2])))

    def _figure(self) -> Figure:
        of = self._random.choice(list(Of))
        filters = self._filters() if self._chance(0.4) else ()
        span = self._span() if self._chance(0.2) else None
        field, parts, width, percent = self._random.choice(_NUMBERS), 0, 0.0, 0.0
        match of:
            case Of.COUNT:
                field = ""
            case Of.SLOTS:
                field, parts = "", self._random.choice([3, 10])
            case Of.STEPS | Of.MEANS:
                width = self._random.choice([30.0, 60.0, 600.0])
            case Of.STATES:
                field, width = self._random.choice(["k", "o.a", "l", "b"]), 600.0
            case Of.CARDINALITY:
                field = self._random.choice([*_GROUPS, *_NUMBERS])
            case Of.PERCENTILE:
                percent = self._random.choice([50.0, 95.0, 99.9])
        return Figure(of, field, filters, percent, "@timestamp", parts, width, span)

    # -- what a row must meet

    def _truth(self, known: list[int], depth: int) -> Expression:
        dice = self._random.random()
        if depth < 3 and dice < 0.4:
            operator = self._random.choice(["and", "or"])
            return Binary(operator, self._truth(known, depth + 1), self._truth(known, depth + 1))
        if depth < 3 and dice < 0.5:
            return Unary("not", self._truth(known, depth + 1))
        operator = self._random.choice(["<", "<=", ">", ">=", "==", "!="])
        return Binary(operator, self._amount(known, depth), self._amount(known, depth))

    def _amount(self, known: list[int], depth: int) -> Expression:
        dice = self._random.random()
        if depth > 3 or dice < 0.45:
            return Name(figure(self._random.choice(known)))
        if dice < 0.6:
            return Number(self._random.choice([0.0, 1.0, 2.5, 100.0, _START]))
        one, other = (self._amount(known, depth + 1) for _ in range(2))
        if dice < 0.8:
            return Binary(self._random.choice(["+", "-", "*", "/"]), one, other)
        if dice < 0.85:
            return Unary("-", one)
        if dice < 0.9:
            return Call(self._random.choice(["min", "max"]), (one, other))
        if dice < 0.93:
            return Call("abs", (one,))
        if dice < 0.97:
            return Call("known", (one, other))
        return Call("if", (self._truth(known, depth + 1), one, other))


_PARTS = (Of.SLOTS, Of.STEPS, Of.MEANS, Of.STATES, Of.NEWEST)
