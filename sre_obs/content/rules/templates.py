"""A template's text -> its tree: read once for all who look at it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, nodes


class TemplateFault(Exception):
    """Why a text is no template; `line` counts from 1, 0 where none can be told."""

    def __init__(self, message: str, line: int, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.remedy = remedy


def parse_template(text: str) -> nodes.Template:
    """The tree, which nobody may change. Runs nothing of it. Raises TemplateFault."""
    found = _read(text)
    if isinstance(found, TemplateFault):
        raise found.with_traceback(None)
    return found


# Looking at a rule asks for each of its few templates several times in a row.
@lru_cache(maxsize=256)
def _read(text: str) -> nodes.Template | TemplateFault:
    from jinja2 import TemplateSyntaxError

    try:
        return _jinja().parse(text)
    except TemplateSyntaxError as error:
        message = f"not a template: {error.message}"
        return TemplateFault(message, error.lineno, "see Jinja2's template syntax")
    except RecursionError:
        return TemplateFault("a template is nested too deep", 0, "simplify it")
    except ValueError:
        return TemplateFault("a number in the template has too many digits", 0, "shorten it")


@lru_cache(maxsize=1)
def _jinja() -> Environment:
    from jinja2 import Environment

    return Environment(autoescape=True)
