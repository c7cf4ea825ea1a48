"""An expression's text -> tree, or a QueryError at the character.

Loosest first: ``or``, ``and``, ``not``, one comparison, ``+ -``, ``* /``, ``-``. Numbers are
``5``, ``0.9``, ``1e9`` and durations (``15m``, ``1h30m``), which are seconds.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches

from sre_obs.model.errors import QueryError
from sre_obs.model.expression import NOW, WINDOW, Binary, Call, Expression, Name, Number, Unary

# A text of a person is far below both. They keep the tree flat enough for plain recursion.
MAX_LENGTH = 2_000
MAX_PARTS = 300  # numbers, names, operators, parentheses
MAX_DEPTH = 25

FUNCTIONS = ("min", "max", "abs")
WORDS = ("and", "or", "not")
# Names that no measure and no variable can have.
RESERVED = (NOW, WINDOW, *WORDS, *FUNCTIONS)
COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")

_SECONDS = {
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?P<unit>[A-Za-z_][A-Za-z0-9_]*)?"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator><=|>=|==|!=|&&|\|\||\*\*|//|[-+*/<>=!(),%^]))",
    re.ASCII,
)
_DURATION = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _SECONDS), re.ASCII)
# What other languages write -> what is written here.
_INSTEAD = {
    "=": "write == to compare",
    "!": "write not",
    "&&": "write and",
    "||": "write or",
    "**": "multiply",
    "//": "write /",
    "%": "write / 100 for percent",
    "^": "multiply",
}


def parse(text: str) -> Expression:
    """Read an expression. Raises QueryError with offset, length and a remedy."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"longer than {MAX_LENGTH} characters", 0, len(text), remedy="split the rule"
        )
    parser = _Parser(text)
    tree = parser.either()
    parser.end()
    return tree


class _Token:
    __slots__ = ("end", "kind", "start", "text", "value")

    def __init__(self, kind: str, text: str, start: int, value: float = 0.0) -> None:
        self.kind = kind  # "number", "name", "operator", "end"; a word is an operator
        self.text = text
        self.start = start
        self.end = start + len(text)
        self.value = value


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._here = self._tokens[0]

    def end(self) -> None:
        """Refuses what stands behind a complete expression."""
        here = self._here
        if here.kind == "end":
            return
        if here.text == ")":
            raise _wrong("')' closes nothing", here, "remove it, or open it with (")
        if here.text in COMPARISONS:
            raise _wrong("a second comparison", here, "write a < b and b < c")
        if here.text == ",":
            raise _wrong("',' outside of min(...) and max(...)", here, "remove it")
        raise _wrong(
            f"'{here.text}' after a complete expression", here, "write an operator before it"
        )

    def either(self) -> Expression:
        """The loosest: what a whole expression and the inside of parentheses is."""
        left = self._both()
        while self._takes("or"):
            left = _joined("or", left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._negated()
        while self._takes("and"):
            left = _joined("and", left, self._negated())
        return left

    def _negated(self) -> Expression:
        here = self._here
        if not self._takes("not"):
            return self._compared()
        self._enter(here)
        operand = self._negated()
        self._depth -= 1
        return Unary("not", operand, here.start, _end(operand) - here.start)

    def _compared(self) -> Expression:
        left = self._sum()
        operator = self._here.text
        if self._here.kind == "operator" and operator in COMPARISONS:
            self._next()
            left = _joined(operator, left, self._sum())
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while self._here.kind == "operator" and self._here.text in "+-":
            operator = self._here.text
            self._next()
            left = _joined(operator, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self._here.kind == "operator" and self._here.text in "*/":
            operator = self._here.text
            self._next()
            left = _joined(operator, left, self._signed())
        return left

    def _signed(self) -> Expression:
        here = self._here
        if not self._takes("-"):
            return self._operand()
        self._enter(here)
        operand = self._signed()
        self._depth -= 1
        return Unary("-", operand, here.start, _end(operand) - here.start)

    def _operand(self) -> Expression:
        here = self._here
        if here.kind == "number":
            self._next()
            return Number(here.value, here.start, here.end - here.start)
        if here.kind == "name":
            self._next()
            if self._here.text == "(":
                return self._call(here)
            if here.text in FUNCTIONS:
                raise _wrong(f"{here.text} needs parentheses", here, f"write {here.text}(...)")
            return Name(here.text, here.start, here.end - here.start)
        if self._takes("("):
            self._enter(here)
            inner = self.either()
            self._close(here)
            return inner
        if here.kind == "end":
            raise _wrong("the expression ends where a number or a name should be", here, "go on")
        remedy = "not stands before a whole condition: not (a > b)" if here.text == "not" else ""
        raise _wrong(f"'{here.text}' where a number or a name should be", here, remedy)

    def _call(self, name: _Token) -> Expression:
        if name.text not in FUNCTIONS:
            near = get_close_matches(name.text, FUNCTIONS, n=1)
            remedy = f"write {near[0]}" if near else f"one of: {', '.join(FUNCTIONS)}"
            raise _wrong(f"there is no function {name.text}", name, remedy)
        opened = self._here
        self._next()
        self._enter(opened)
        if self._here.text == ")":
            raise _wrong(f"{name.text} of nothing", self._here, f"write {name.text}(a)")
        arguments = [self.either()]
        while self._takes(","):
            arguments.append(self.either())
        stop = self._here.end
        self._close(opened)
        if name.text == "abs" and len(arguments) != 1:
            raise _wrong(f"abs of {len(arguments)} numbers", name, "write abs(a)")
        if name.text != "abs" and len(arguments) < 2:
            raise _wrong(f"{name.text} of one number", name, f"write {name.text}(a, b)")
        return Call(name.text, tuple(arguments), name.start, stop - name.start)

    def _enter(self, here: _Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong(f"nested deeper than {MAX_DEPTH} levels", here, "split the rule")

    def _close(self, opened: _Token) -> None:
        if self._takes(")"):
            self._depth -= 1
            return
        if self._here.kind == "end":
            raise _wrong("'(' is never closed", opened, "close it with )")
        if self._here.text in COMPARISONS:
            raise _wrong("a second comparison", self._here, "write a < b and b < c")
        raise _wrong(
            f"'{self._here.text}' where ')' should be", self._here, "write an operator before it"
        )

    def _takes(self, text: str) -> bool:
        if self._here.kind != "operator" or self._here.text != text:
            return False
        self._next()
        return True

    def _next(self) -> None:
        self._at += 1
        self._here = self._tokens[self._at]


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    stop = len(text.rstrip())
    while at < stop:
        match = _TOKEN.match(text, at)
        if match is None:
            while text[at].isspace():
                at += 1
            char = text[at]
            shown = char if char.isprintable() else "\ufffd"
            remedy = "+ - * / ( ) < <= > >= == != and or not, numbers and names"
            if char in "\"'`":
                remedy = "names are written without quotes"
            elif char == "$":
                remedy = "a variable is written by its name alone"
            raise QueryError(f"'{shown}' in an expression", at, remedy=remedy)
        kind = str(match.lastgroup)
        if kind in ("number", "unit"):
            token = _number(match)
        else:
            word = match.group(kind)
            token = _Token("operator" if word in WORDS else kind, word, match.start(kind))
            if word in _INSTEAD:
                raise _wrong(f"'{word}' is no operator", token, _INSTEAD[word])
            if word.lower() in WORDS and word not in WORDS:
                raise _wrong(f"'{word}' is no operator", token, f"write {word.lower()}")
        found.append(token)
        at = match.end()
        if len(found) > MAX_PARTS:
            raise _wrong(f"over {MAX_PARTS} numbers, names and operators", token, "split the rule")
    if not found:
        raise QueryError("the expression is empty", 0, max(len(text), 1), remedy="write one")
    # What is missing at the end is shown at its last character.
    found.append(_Token("end", "", max(stop - 1, 0)))
    return found


def _number(match: re.Match[str]) -> _Token:
    start = match.start("number")
    written = match.group("number") + (match.group("unit") or "")
    token = _Token("number", written, start)
    if match.group("unit") is None:
        token.value = float(written)
        if not math.isfinite(token.value):
            raise _wrong("the number is too large", token, "")
        return token
    parts = _DURATION.fullmatch(written)
    if parts is None:
        raise _wrong(f"'{_cut(written)}' is no number", token, "write 5, 0.9, 15m, 1h30m or 4d")
    pairs = zip(parts.groups(), _SECONDS.values(), strict=True)
    token.value = sum(int(number) * size for number, size in pairs if number)
    return token


def _joined(operator: str, left: Expression, right: Expression) -> Binary:
    return Binary(operator, left, right, left.start, _end(right) - left.start)


def _end(expression: Expression) -> int:
    return expression.start + expression.length


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _wrong(message: str, token: _Token, remedy: str) -> QueryError:
    return QueryError(message, token.start, max(token.end - token.start, 1), remedy=remedy)
