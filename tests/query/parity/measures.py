"""Requests as rules make them, from a seed: measures of entities, and which the server drops."""

from __future__ import annotations

from typing import Any

from tests.query.parity.generate import Generator, Json

_ENTITIES = ("k", "j", "o.a", "t.keyword", "b", "ip")
_NUMBERS = ("l", "i", "f", "x", "o.v")
_DATES = ("d", "@timestamp")


class Measures(Generator):
    """All choices of one seed."""

    def _request(self) -> Json:
        if self._chance(0.15):
            return self._newest()
        window = {"range": {"@timestamp": self._window()}}
        body: Json = {"size": 0, "track_total_hits": False}
        clauses = [window, self._query(1)] if self._chance(0.6) else [window]
        body["query"] = {"bool": {"filter": clauses}}
        aggs = self._measures()
        self._keep(aggs)
        # Of several values of a number only some may come: such sources are refused by name.
        count = self._random.randint(1, 3)
        sources: list[Json] = []
        for name in self._random.sample(_ENTITIES, count):
            source: Json = {"field": name}
            if self._chance(0.3):
                source["missing_bucket"] = True
            sources.append({name.replace(".", "_"): {"terms": source}})
        entities: Json = {"composite": {"size": self._random.choice([2, 1000]), "sources": sources}}
        if aggs:
            entities["aggs"] = aggs
        body["aggs"] = {"entities": entities}
        return body

    def _window(self) -> Json:
        anchor = self._random.choice(
            ["2026-01-15T00:30:00Z", "2026-01-15T00:59:37.250Z", "2026-01-15T01:00:00.000Z"]
        )
        start = self._random.choice(["||-5m", "||-30m/m", "||-1h/h", "||-1d/d", "||-35s", "||/d"])
        return {
            self._random.choice(["gte", "gt"]): anchor + start,
            self._random.choice(["lt", "lte"]): anchor,
            "format": "strict_date_optional_time",
        }

    def _newest(self) -> Json:
        """collapse: the newest document of each entity."""
        shown = self._random.sample([*_NUMBERS, *_ENTITIES], 3)
        return {
            "size": 50,
            "track_total_hits": False,
            "_source": False,
            "query": {"bool": {"filter": [self._query(1)]}},
            "collapse": {"field": self._random.choice(["k", "o.a", "j"])},
            "sort": [{"@timestamp": "desc"}, {"_doc": "asc"}],
            "docvalue_fields": [*shown, {"field": "@timestamp", "format": "epoch_millis"}],
        }

    def _measures(self) -> Json:
        aggs: Json = {}
        for number in range(self._random.randint(0, 4)):
            dice = self._random.random()
            if dice < 0.5:
                aggs[f"m{number}"] = self._number()
            elif dice < 0.8:
                inner = {f"v{i}": self._number() for i in range(self._random.randint(0, 2))}
                inner["t"] = {"max": {"field": "@timestamp"}}
                aggs[f"f{number}"] = {"filter": self._query(2), "aggs": inner}
            elif dice < 0.9:
                aggs[f"h{number}"] = {
                    "date_histogram": {
                        "field": "@timestamp",
                        "fixed_interval": self._random.choice(["1m", "10m", "1h"]),
                        "min_doc_count": 1,
                    },
                    "aggs": {"hi": self._number(), "lo": self._number()},
                }
            else:
                aggs[f"n{number}"] = {
                    "top_hits": {
                        "size": 1,
                        "sort": [{"@timestamp": "desc"}, "_doc"],
                        "_source": False,
                        "docvalue_fields": self._random.sample([*_NUMBERS, *_ENTITIES], 2),
                    }
                }
        return aggs

    def _number(self) -> Json:
        kind = self._random.choice(
            ["avg", "sum", "min", "max", "max", "value_count", "cardinality", "percentiles"]
        )
        field = self._random.choice([*_NUMBERS, "b", *_DATES])
        if kind == "cardinality":
            field = self._random.choice([*_ENTITIES, *_NUMBERS])
        if kind == "percentiles":
            return {kind: {"field": field, "percents": [95]}}
        return {kind: {"field": field}}

    def _keep(self, aggs: Json) -> None:
        paths: Json = {"n": "_count"}
        for name, spec in aggs.items():
            if name[0] == "m":
                paths[name] = f"{name}.95" if "percentiles" in spec else name
            elif name[0] == "f":
                paths[f"{name}c"] = f"{name}>_count"
                paths[f"{name}t"] = f"{name}>t"
                for inner, metric in spec["aggs"].items():
                    end = ".95" if "percentiles" in metric else ""
                    paths[f"{name}{inner}"] = f"{name}>{inner}{end}"
        if not self._chance(0.75):
            return
        script = self._truth(list(paths), 0)
        selector: Json = {"buckets_path": paths, "script": script}
        if self._chance(0.3):
            selector["gap_policy"] = "insert_zeros"
        aggs["keep"] = {"bucket_selector": selector}
        if self._chance(0.2):
            wanted = {"buckets_path": paths, "script": self._amount(list(paths), 0)}
            aggs["made"] = {"bucket_script": wanted}

    def _truth(self, names: list[str], depth: int) -> str:
        dice = self._random.random()
        if depth < 3 and dice < 0.45:
            left, right = self._truth(names, depth + 1), self._truth(names, depth + 1)
            return f"({left}) {self._random.choice(['&&', '||'])} ({right})"
        if depth < 3 and dice < 0.55:
            return f"!({self._truth(names, depth + 1)})"
        if depth < 3 and dice < 0.62:
            three = (self._truth(names, depth + 1) for _ in range(3))
            return "({}) ? ({}) : ({})".format(*three)
        operator = self._random.choice(["<", "<=", ">", ">=", ">", "==", "!="])
        return f"{self._amount(names, depth + 1)} {operator} {self._amount(names, depth + 1)}"

    def _amount(self, names: list[str], depth: int) -> str:
        pick = self._random.choice
        dice = self._random.random()
        if depth > 3 or dice < 0.5:
            return f"params.{pick(names)}"
        if dice < 0.7:
            return str(pick([1, 2, 0.5, 100, 1.5e3, 1000.0, 0.0]))
        if dice < 0.9:
            left, right = self._amount(names, depth + 1), self._amount(names, depth + 1)
            return f"({left} {pick(['+', '-', '*', '/'])} {right})"
        if dice < 0.95:
            left, right = self._amount(names, depth + 1), self._amount(names, depth + 1)
            return f"Math.{pick(['max', 'min'])}({left}, {right})"
        inner: Any = self._amount(names, depth + 1)
        return pick([f"Math.abs({inner})", f"-({inner})", f"(params.n > 2 ? {inner} : 1.5)"])
