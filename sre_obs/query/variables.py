"""``${name}`` in the values of a query.

Each is replaced by as many private characters before the text is read, and these by the
variable's value afterwards: positions stay, and no value is ever read as syntax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from sre_obs.model.errors import QueryError

_VARIABLE = re.compile(r"\$\{([^{}\s]*)\}")
_FIRST, _LAST = 0xE000, 0xF8FF  # Unicode's private characters
_PRIVATE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_RUN = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])\\1*")


class Values:
    """The variables of one text. `text` is what a parser reads.

    Raises QueryError for a variable that is not there.
    """

    def __init__(self, text: str, variables: Mapping[str, str] | None) -> None:
        self.text = text
        self._values: dict[str, str] = {}
        if variables is None or "${" not in text:
            return
        private = _PRIVATE.search(text)
        if private:
            raise QueryError("a private character beside variables", private.start())
        self.text = _VARIABLE.sub(lambda found: self._mark(found, variables), text)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._values)

    def holds(self, text: str) -> bool:
        """Whether a variable is in this piece of the text."""
        return bool(self._values) and _PRIVATE.search(text) is not None

    def put(self, text: str) -> str:
        """The piece with the variables' values."""
        if not self.holds(text):
            return text
        return _RUN.sub(lambda found: self._values.get(found.group(1), found.group()), text)

    def _mark(self, found: re.Match[str], variables: Mapping[str, str]) -> str:
        name = found.group(1)
        if name not in variables:
            near = get_close_matches(name, variables, n=1)
            known = ", ".join(sorted(variables))
            remedy = f"write ${{{near[0]}}}" if near else f"one of: {known}"
            raise QueryError(
                f"there is no variable {name[:60] or '${}'}",
                found.start(),
                len(found.group()),
                remedy=remedy if variables else "define it under variables",
            )
        # Each place has a character of its own: two variables in a row stay two.
        mark = chr(_FIRST + len(self._values))
        if ord(mark) > _LAST:
            raise QueryError("too many variables", found.start(), len(found.group()))
        self._values[mark] = variables[name]
        return mark * len(found.group())
