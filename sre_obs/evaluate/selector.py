"""A condition on figures -> the script of a `bucket_selector`.

Numbers go as parameters, so that rules of one form share one compiled script whatever their
limits are. A figure without a value is NaN there: no comparison but ``!=`` is true of it.
All numbers are doubles, so nothing divides as whole numbers do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary

_CONDITIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "and", "or"})
_WORDS = {"and": "&&", "or": "||"}


def selector(keep: Expression, paths: Mapping[str, str]) -> dict[str, Any]:
    """The body of the `bucket_selector`; `paths` are where each figure is found."""
    script = _Script()
    source = script.condition(keep)
    return {
        "buckets_path": {name: paths[name] for name in script.names},
        "script": {"source": source, "params": script.params},
    }


class _Script:
    def __init__(self) -> None:
        self.params: dict[str, float] = {}
        self.names: dict[str, None] = {}

    def condition(self, tree: Expression) -> str:
        match tree:
            case Binary(operator="and" | "or"):
                left, right = self.condition(tree.left), self.condition(tree.right)
                return f"({left} {_WORDS[tree.operator]} {right})"
            case Binary() if tree.operator in _CONDITIONS:
                return f"({self.number(tree.left)} {tree.operator} {self.number(tree.right)})"
            case Unary(operator="not"):
                return f"!{self.condition(tree.operand)}"
            case _:
                return f"({self.number(tree)} != 0.0)"

    def number(self, tree: Expression) -> str:
        match tree:
            case Number():
                return self._constant(tree.value)
            case Name():
                self.names[tree.name] = None
                return f"params.{tree.name}"
            case Unary(operator="-"):
                return f"(-{self.number(tree.operand)})"
            case Binary() if tree.operator not in _CONDITIONS:
                return f"({self.number(tree.left)} {tree.operator} {self.number(tree.right)})"
            case Call(function="if"):
                test, yes, no = tree.arguments
                return f"({self.condition(test)} ? {self.number(yes)} : {self.number(no)})"
            case Call(function="known"):
                value, other = (self.number(argument) for argument in tree.arguments)
                # Not by a comparison with itself, which is true of one and the same object.
                return f"({value} >= 0.0 || {value} < 0.0 ? {value} : {other})"
            case Call():
                first, *rest = (self.number(argument) for argument in tree.arguments)
                for one in rest:
                    first = f"Math.{tree.function}({first}, {one})"
                return first if rest else f"Math.{tree.function}({first})"
            case _:
                return f"({self.condition(tree)} ? 1.0 : 0.0)"

    def _constant(self, value: float) -> str:
        for name, known in self.params.items():
            if known == value:
                return f"params.{name}"
        name = f"n{len(self.params)}"
        self.params[name] = float(value)
        return f"params.{name}"
