"""The arithmetic that bucket_script and bucket_selector need, in Painless' words and with
its rules: `params.a`, numbers, ``+ - * / %``, comparisons, ``&& || !``, ``?:``, parentheses,
Math.abs, Math.max, Math.min. Whole numbers divide like Java's; everything else is refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sre_obs.query.search.refuse import unsupported, wrong

Value: TypeAlias = float | int | bool | None
Params: TypeAlias = Mapping[str, Value]
Code: TypeAlias = Callable[[Params], Value]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)(?P<suffix>[lLdDfF]?)"
    r"|(?P<param>params\s*(?:\.\s*(?P<dot>[A-Za-z_]\w*)|\[\s*(?P<q>['\"])(?P<key>[^'\"\\]*)(?P=q)\s*\]))"
    r"|(?P<math>Math\s*\.\s*(?P<fn>[a-z]+))|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<op>&&|\|\||[<>=!]=|[-+*/%<>!?:(),;]))",
    re.ASCII,
)
_MAX_LENGTH = 2000
_MAX_DEPTH = 40
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Script:
    """A script that has been read. `kind` is what it gives, as far as the text tells:
    "number", "boolean" or "" (a parameter alone)."""

    def __init__(self, source: str, where: str) -> None:
        if len(source) > _MAX_LENGTH:
            raise unsupported("a script this long", where)
        self._where = where
        self._tokens = self._read(source)
        self._at = 0
        self._depth = 0
        if self._tokens and self._tokens[0] == ("word", "return"):
            self._at = 1
        self.code, self.kind = self._ternary()
        if self._peek() == ("op", ";"):
            self._at += 1
        if self._at < len(self._tokens):
            word = self._tokens[self._at][1]
            if word in ("and", "or", "not"):
                raise wrong(f"'{word}' is no operator of a script: &&, || or !", where)
            raise unsupported(f"'{word}' in a script", where)

    def __call__(self, params: Params) -> Value:
        try:
            return self.code(params)
        except ZeroDivisionError:
            raise wrong("a script divides a whole number by zero", self._where) from None
        except TypeError:
            raise wrong("a script computes with something that is no number", self._where) from None

    def _read(self, source: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at, text = 0, source.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None and re.match(r"\s*\.\d", text[at:]):
                raise wrong("a number that begins with its point: write 0.5", self._where)
            if match is None and tokens and tokens[-1][0] == "word":
                raise unsupported(f"'{tokens[-1][1]}' in a script", self._where)
            if match is None:
                raise unsupported(f"'{text[at:].strip()[:10]}' in a script", self._where)
            at = match.end()
            if match.group("number"):
                suffix = match.group("suffix").lower()
                if suffix in ("l", "f"):
                    raise unsupported("a number with a suffix in a script", self._where)
                tokens.append(("double" if suffix else "number", match.group("number")))
            elif match.group("param"):
                key = match.group("dot")
                tokens.append(("param", match.group("key") if key is None else key))
            elif match.group("math"):
                tokens.append(("math", match.group("fn")))
            elif match.group("word"):
                tokens.append(("word", match.group("word")))
            else:
                tokens.append(("op", match.group("op")))
        return tokens

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *operators: str) -> str:
        kind, text = self._peek()
        if kind == "op" and text in operators:
            self._at += 1
            return text
        return ""

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise wrong(f"'{text}' is missing in a script", self._where)

    def _ternary(self) -> tuple[Code, str]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise unsupported("a script this deep", self._where)
        test, kind = self._or()
        if self._take("?"):
            self._boolean(kind)
            yes, yes_kind = self._ternary()
            self._expect(":")
            no, no_kind = self._ternary()
            if "null" in (yes_kind, no_kind):
                raise wrong("a script can't give null here", self._where)
            test = _choice(test, yes, no)
            kind = yes_kind if yes_kind == no_kind else ""
        self._depth -= 1
        return test, kind

    def _or(self) -> tuple[Code, str]:
        left, kind = self._and()
        while self._take("||"):
            right, other = self._and()
            self._boolean(kind, other)
            left, kind = _either(left, right), "boolean"
        return left, kind

    def _and(self) -> tuple[Code, str]:
        left, kind = self._equality()
        while self._take("&&"):
            right, other = self._equality()
            self._boolean(kind, other)
            left, kind = _both(left, right), "boolean"
        return left, kind

    def _equality(self) -> tuple[Code, str]:
        left, kind = self._comparison()
        while symbol := self._take("==", "!="):
            right, _ = self._comparison()
            left, kind = _equality(left, right, wanted=symbol == "=="), "boolean"
        return left, kind

    def _comparison(self) -> tuple[Code, str]:
        left, kind = self._sum()
        while symbol := self._take("<", "<=", ">", ">="):
            right, other = self._sum()
            self._number(kind, other)
            left, kind = _binary(left, right, _COMPARE[symbol]), "boolean"
        return left, kind

    def _sum(self) -> tuple[Code, str]:
        left, kind = self._product()
        while symbol := self._take("+", "-"):
            right, other = self._product()
            self._number(kind, other)
            left, kind = _binary(left, right, _plus if symbol == "+" else _minus), "number"
        return left, kind

    def _product(self) -> tuple[Code, str]:
        left, kind = self._unary()
        while symbol := self._take("*", "/", "%"):
            right, other = self._unary()
            self._number(kind, other)
            compute = {"*": _times, "/": _divide, "%": _remainder}[symbol]
            left, kind = _binary(left, right, compute), "number"
        return left, kind

    def _unary(self) -> tuple[Code, str]:
        signs: list[str] = []
        while symbol := self._take("!", "-", "+"):
            signs.append(symbol)
        code, kind = self._primary()
        for symbol in reversed(signs):
            if symbol == "!":
                self._boolean(kind)
                code, kind = _not(code), "boolean"
            else:
                self._number(kind)
                code, kind = _signed(code, negative=symbol == "-"), "number"
        return code, kind

    def _primary(self) -> tuple[Code, str]:
        kind, text = self._peek()
        self._at += 1
        if kind in ("number", "double"):
            number = int(text) if kind == "number" and text.isdigit() else float(text)
            if isinstance(number, int) and number > 2**31 - 1:
                raise wrong(f"{number} does not fit an int", self._where)
            return (lambda params: number), "number"
        if kind == "param":
            return _param(text), ""
        if kind == "word" and text in ("true", "false"):
            flag = text == "true"
            return (lambda params: flag), "boolean"
        if kind == "word" and text == "null":
            return (lambda params: None), "null"
        if kind == "math" and text in _MATH:
            return self._call(text), "number"
        if kind == "op" and text == "(":
            inner = self._ternary()
            self._expect(")")
            return inner
        if kind == "end":
            raise wrong("a script ends in the middle", self._where)
        shown = f"Math.{text}" if kind == "math" else text
        raise unsupported(f"'{shown}' in a script", self._where)

    def _call(self, name: str) -> Code:
        self._expect("(")
        arguments = [self._ternary()]
        while self._take(","):
            arguments.append(self._ternary())
        self._expect(")")
        function, count = _MATH[name]
        if len(arguments) != count:
            raise wrong(f"Math.{name} takes {count}", self._where)
        self._number(*(kind for _, kind in arguments))
        codes = [code for code, _ in arguments]
        return lambda params: function(*(_numeric(code(params)) for code in codes))

    def _boolean(self, *kinds: str) -> None:
        if any(kind not in ("boolean", "") for kind in kinds):
            raise wrong("a script needs true or false where a number is", self._where)

    def _number(self, *kinds: str) -> None:
        if any(kind not in ("number", "") for kind in kinds):
            raise wrong("a script needs a number where true or false is", self._where)


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _numeric(value: Value) -> float | int:
    if value is None or isinstance(value, bool):
        raise TypeError
    return value


def _param(name: str) -> Code:
    return lambda params: params.get(name)


def _binary(left: Code, right: Code, compute: Callable[[Any, Any], Value]) -> Code:
    return lambda params: compute(_numeric(left(params)), _numeric(right(params)))


def _either(left: Code, right: Code) -> Code:
    return lambda params: _truth(left(params)) or _truth(right(params))


def _both(left: Code, right: Code) -> Code:
    return lambda params: _truth(left(params)) and _truth(right(params))


def _choice(test: Code, yes: Code, no: Code) -> Code:
    return lambda params: yes(params) if _truth(test(params)) else no(params)


def _not(code: Code) -> Code:
    return lambda params: not _truth(code(params))


def _signed(code: Code, *, negative: bool) -> Code:
    if negative:
        return lambda params: -_numeric(code(params))
    return lambda params: _numeric(code(params))


def _equality(left: Code, right: Code, *, wanted: bool) -> Code:
    def compare(params: Params) -> bool:
        a, b = left(params), right(params)
        if isinstance(a, bool) != isinstance(b, bool):
            return not wanted
        return (a == b) is wanted

    return compare


def _whole(value: int) -> int:
    """Java's int wraps around."""
    return (value + 2**31) % 2**32 - 2**31


def _plus(a: Any, b: Any) -> float | int:
    return _whole(a + b) if isinstance(a, int) and isinstance(b, int) else float(a) + float(b)


def _minus(a: Any, b: Any) -> float | int:
    return _whole(a - b) if isinstance(a, int) and isinstance(b, int) else float(a) - float(b)


def _times(a: Any, b: Any) -> float | int:
    return _whole(a * b) if isinstance(a, int) and isinstance(b, int) else float(a) * float(b)


def _divide(a: Any, b: Any) -> float | int:
    if isinstance(a, int) and isinstance(b, int):
        quotient = abs(a) // abs(b)
        return _whole(quotient if (a < 0) == (b < 0) else -quotient)
    a, b = float(a), float(b)
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return float(a / b)


def _remainder(a: Any, b: Any) -> float | int:
    if isinstance(a, int) and isinstance(b, int):
        rest = abs(a) % abs(b)
        return rest if a >= 0 else -rest
    if b == 0 or math.isinf(a) or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.fmod(a, b)


def _extreme(a: Any, b: Any, pick: Callable[[Any, Any], Any]) -> float | int:
    if isinstance(a, float) or isinstance(b, float):
        if math.isnan(a) or math.isnan(b):
            return math.nan
        return float(pick(a, b))
    return int(pick(a, b))


_MATH: dict[str, tuple[Callable[..., float | int], int]] = {
    "abs": (abs, 1),
    "max": (lambda a, b: _extreme(a, b, max), 2),
    "min": (lambda a, b: _extreme(a, b, min), 2),
}
