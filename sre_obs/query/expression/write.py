"""An expression's tree -> text with as few parentheses as it can do with."""

from __future__ import annotations

from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary

# How tight each binds: an operand that binds less tightly gets parentheses.
_TIGHTNESS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6}
_COMPARISON = 4
_SIGN = 7


def write(expression: Expression) -> str:
    """The text, which parses to the same tree (a duration as its seconds)."""
    match expression:
        case Number():
            return repr(expression.value).removesuffix(".0")
        case Name():
            return expression.name
        case Call():
            return f"{expression.function}({', '.join(map(write, expression.arguments))})"
        case Unary(operator="-"):
            return f"-{_within(expression.operand, _SIGN)}"
        case Unary():
            return f"not {_within(expression.operand, _TIGHTNESS['not'])}"
        case Binary():
            mine = _tightness(expression)
            # A comparison takes no other one as an operand, on either side.
            left = _within(expression.left, mine + (mine == _COMPARISON))
            return f"{left} {expression.operator} {_within(expression.right, mine + 1)}"


def _within(operand: Expression, tightness: int) -> str:
    text = write(operand)
    return text if _tightness(operand) >= tightness else f"({text})"


def _tightness(expression: Expression) -> int:
    match expression:
        case Binary():
            return _TIGHTNESS.get(expression.operator, _COMPARISON)
        case Unary():
            return _SIGN if expression.operator == "-" else _TIGHTNESS["not"]
        case _:
            return _SIGN + 1
