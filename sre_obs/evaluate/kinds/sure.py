"""Which measures could undo what is true, if documents are missing that were to be there.

A count of 7 against a limit of 5 stays true whatever else comes; an average, a ratio or
"less than" may not. The newest value is what it is: there age is the question, not number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sre_obs.model.expression import Binary, Call, Expression, Name, Unary
from sre_obs.model.rule import Function

_GROWING = frozenset(
    (
        Function.COUNT,
        Function.CARDINALITY,
        Function.SUM,
        Function.MAX,
        Function.INCREASE,
        Function.CHANGES,
    )
)
NEWEST = frozenset((Function.LATEST, Function.MATCHES, Function.AGE))
_UP = frozenset((">", ">="))


def unsure(
    condition: Expression, functions: Mapping[str, Function], *, wanted: bool = True
) -> frozenset[str]:
    """The measures that more documents could move so that `condition` is no longer `wanted`."""
    return frozenset(_moved(condition, 1 if wanted else -1, functions))


def _moved(tree: Expression, sign: int, functions: Mapping[str, Function]) -> Iterator[str]:
    """Measures in `tree` that may move against `sign`: 1, it must not fall; -1, not rise;
    0, neither."""
    match tree:
        case Name():
            function = functions.get(tree.name)
            if function is not None and not _holds(function, sign):
                yield tree.name
        case Unary():
            yield from _moved(tree.operand, -sign, functions)
        case Binary(operator="and" | "or" | "+"):
            yield from _moved(tree.left, sign, functions)
            yield from _moved(tree.right, sign, functions)
        case Binary(operator="==" | "!="):
            yield from _moved(tree.left, 0, functions)
            yield from _moved(tree.right, 0, functions)
        case Binary(operator="*"):
            # Measures are taken for what they nearly always are: not below 0.
            yield from _moved(tree.left, sign, functions)
            yield from _moved(tree.right, sign, functions)
        case Binary(operator="-" | "/"):
            yield from _moved(tree.left, sign, functions)
            yield from _moved(tree.right, -sign, functions)
        case Binary():
            up = sign if tree.operator in _UP else -sign
            yield from _moved(tree.left, up, functions)
            yield from _moved(tree.right, -up, functions)
        case Call(function="abs"):
            yield from _moved(tree.arguments[0], 0, functions)
        case Call():
            for argument in tree.arguments:
                yield from _moved(argument, sign, functions)
        case _:
            pass


def _holds(function: Function, sign: int) -> bool:
    if function in NEWEST:
        return True
    if function in _GROWING:
        return sign > 0
    return function is Function.MIN and sign < 0
