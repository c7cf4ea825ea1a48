"""The process that renders users' templates; see `templates` for who starts it and why.

Run by path, without site variables or environment, so it imports nothing of ours. It
reads one JSON line for some jobs, ``[[template, variables], ...]``, and answers one line
for each of them: ``{"text": ...}`` or ``{"error": ..., "line": ...}`` (0: unknown).

Its bounds are the operating system's where it has them, since Python code can be kept
busy inside one instruction: address space by RLIMIT_AS, computing time of one job by a
timer whose signal ends the process (RLIMIT_CPU counts the whole life of a process, and in
whole seconds), no new file at all by RLIMIT_NOFILE. What the sandbox adds: no names with
an underscore, nothing mutable that outlives a job, short ranges.
"""

from __future__ import annotations

import difflib
import functools
import json
import resource
import signal
import sys
import textwrap  # noqa: F401 (jinja2 imports it at first use)
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

if __name__ == "__main__":  # isolated as it is, it is told where jinja2 was installed
    sys.path += json.loads(sys.argv[1])["path"]

import jinja2
import jinja2.debug  # this and textwrap: later no file can be opened to import them
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NAME = "<annotation>"  # how tracebacks name a template


class Unfit(Exception):
    """A filter was given what it can't show."""


class Missing(jinja2.StrictUndefined):
    """A name that is not there: any use fails, and says which name is near."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name = str(self._undefined_name)
        inside = self._undefined_obj
        if isinstance(inside, Mapping):
            return f'no "{name}" here{_nearest(name, inside)}'
        if isinstance(inside, (str, int, float, list, type(None))):
            return f'no "{name}" in {_kind(inside)}'
        return f'no variable "{name}"{_nearest(name, _names)}'


_names: Iterable[str] = ()  # the variables of the job at hand


class Environment(ImmutableSandboxedEnvironment):
    """The sandbox. ``labels.items`` is the label of that name if there is one."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a mapping goes before a method of it."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Nothing with an underscore in front."""
        return not attr.startswith("_") and super().is_safe_attribute(obj, attr, value)


def environment() -> Environment:
    """The one environment: strict, no escaping (that is for whoever sends the text)."""
    env = Environment(undefined=Missing, autoescape=False, keep_trailing_newline=True)
    for name in ("lipsum", "cycler", "joiner", "dict"):
        del env.globals[name]
    for name in ("random", "pprint", "urlize", "xmlattr", "safe", "forceescape"):
        del env.filters[name]
    env.filters |= {
        "duration": duration,
        "bytes": size,
        "percent": percent,
        "number": number,
        "time": time_of_day,
    }
    return env


# Filters for people. A document's values are texts, so numbers in texts are numbers.


def duration(seconds: Any) -> str:
    """Seconds in the two largest units that say something: ``2 h 5 min``, ``912 ms``."""
    value = _number(seconds, "duration")
    if value is None:
        return "-"
    sign, rest = ("-" if value < 0 else ""), abs(value)
    if rest < 1:
        return f"{sign}{rest * 1000:.3g} ms" if rest else "0 s"
    if rest < 60:
        return f"{sign}{rest:.3g} s"
    whole, parts = round(rest), []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, length)
        parts.append((count, unit))
    first = next(n for n, (count, _) in enumerate(parts) if count)
    return sign + " ".join(f"{count:,} {unit}" for count, unit in parts[first : first + 2] if count)


def size(count: Any) -> str:
    """Bytes in powers of 1,024: ``1.5 GiB``."""
    value = _number(count, "bytes")
    if value is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024:
            return f"{_digits(value)} {unit}"
        value /= 1024
    return f"{_digits(value)} PiB"


def percent(ratio: Any) -> str:
    """A ratio, 1 being the whole: ``15.3 %``."""
    value = _number(ratio, "percent")
    return "-" if value is None else f"{_digits(value * 100)} %"


def number(given: Any) -> str:
    """A number with thousands apart and no more digits than help: ``1,234,568``, ``0.153``."""
    value = _number(given, "number")
    return "-" if value is None else _digits(value)


def time_of_day(at: Any, date: bool = False) -> str:
    """Seconds since the epoch, or ISO 8601 as documents have it: ``06:38:20 UTC``; with
    `date` the day in front."""
    if at is None or isinstance(at, jinja2.Undefined):
        return "-" if at is None else str(at)
    try:
        if isinstance(at, str) and not at.replace(".", "", 1).isdigit():
            moment = datetime.fromisoformat(at)
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        else:
            moment = datetime.fromtimestamp(float(at), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        raise Unfit(f"time needs seconds since the epoch or ISO 8601, not {_kind(at)}") from None
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC" if date else "%H:%M:%S UTC")


def _number(given: Any, name: str) -> float | None:
    if given is None:
        return None
    if isinstance(given, jinja2.Undefined):
        str(given)  # raises, with the name
    try:
        value = float(given)
    except (ValueError, TypeError, OverflowError):
        raise Unfit(f"{name} needs a number, not {_kind(given)}") from None
    return value if value - value == 0 else None  # neither infinite nor not-a-number


def _digits(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:40]}"'
    if value is None:
        return "nothing"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "a group of fields" if isinstance(value, Mapping) else "this")


def _nearest(name: str, known: Iterable[str]) -> str:
    candidates = sorted(str(k) for k in known)[:500]
    near = difflib.get_close_matches(name[:80], candidates, 1, 0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; there is {', '.join(candidates[:8])}" if candidates else ""


# Checking without rendering: in the parent's process, as only parsing happens.


def check(text: str, names: Iterable[str] = ()) -> tuple[str, int] | None:
    """What is wrong with a template, and in which line; None if nothing is. With `names`
    any other variable is wrong too. Runs nothing of the template."""
    try:
        tree = _checking().parse(text, filename=NAME)
    except jinja2.TemplateSyntaxError as error:
        return str(error.message), error.lineno
    except RecursionError:
        return "nested too deeply", 1
    except ValueError:
        return "a number has too many digits", 1
    return next(unfit(tree, names), None)


def unfit(tree: nodes.Template, names: Iterable[str] = ()) -> Iterator[tuple[str, int]]:
    """All that is wrong with a template that was read already, and in which lines."""
    env = _checking()
    found: dict[type, list[Any]] = {}
    for node in tree.find_all(nodes.Node):  # one walk for all kinds
        found.setdefault(type(node), []).append(node)
    for called in found.get(nodes.Filter, ()):
        if called.name not in env.filters:
            yield f'no filter "{called.name}"{_nearest(called.name, env.filters)}', called.lineno
    for asked in found.get(nodes.Test, ()):
        if asked.name not in env.tests:
            yield f'no test "{asked.name}"{_nearest(asked.name, env.tests)}', asked.lineno
    for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        for other in found.get(kind, ()):
            yield "a template stands alone: no include, import or extends", other.lineno
    # Not jinja2.meta: it generates code, and for that computes what is constant.
    used = found.get(nodes.Name, [])
    known = {*names, *env.globals, *(n.name for n in used if n.ctx != "load"), *_IMPLIED}
    known |= {macro.name for macro in found.get(nodes.Macro, ())}
    for name in used if names else ():
        if name.name not in known:
            yield f'no variable "{name.name}"{_nearest(name.name, names)}', name.lineno


@functools.lru_cache(maxsize=1)
def _checking() -> Environment:
    return environment()


_IMPLIED = ("loop", "self", "caller", "varargs", "kwargs")


# The process.


class Renderer:
    """Renders one job after another; compiled templates are kept, as rules repeat."""

    def __init__(self, output: int, cpu: float) -> None:
        self._output = output
        self._cpu = cpu
        self._compiled = functools.lru_cache(maxsize=512)(self._compile)
        self._env = environment()

    def answer(self, text: str, variables: dict[str, Any]) -> dict[str, Any]:
        """One job's answer. Ends the process if the job computes for too long."""
        global _names
        _names = variables
        signal.setitimer(signal.ITIMER_PROF, self._cpu)
        try:
            return {"text": self._render(text, variables)}
        except jinja2.TemplateSyntaxError as error:
            return {"error": str(error.message), "line": error.lineno}
        except (Unfit, jinja2.TemplateError) as error:
            return {"error": str(error.args[0]) if error.args else "", "line": _line(error)}
        except MemoryError:
            return {"error": "it needs too much memory", "line": 0}
        except RecursionError:
            return {"error": "nested too deeply", "line": 0}
        except OSError:
            return {"error": "it needs a file, and templates have none", "line": 0}
        except Exception as error:  # noqa: BLE001 (whatever a template does is its own fault)
            return {"error": str(error)[:300] or type(error).__name__, "line": _line(error)}
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _compile(self, text: str) -> jinja2.Template:
        code = self._env.compile(text, filename=NAME)
        return jinja2.Template.from_code(self._env, code, self._env.make_globals(None))

    def _render(self, text: str, variables: dict[str, Any]) -> str:
        pieces: list[str] = []
        length = 0
        for piece in self._compiled(text).generate(variables):
            length += len(piece)
            if length > self._output:
                raise Unfit(f"it gives more than {self._output:,} characters")
            pieces.append(piece)
        return "".join(pieces)


def _line(error: BaseException) -> int:
    """The template's line where it happened, 0 if unknown."""
    line, at = 0, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == NAME:
            line = at.tb_lineno
        at = at.tb_next
    return line


def main() -> None:
    """Serve until standard input ends."""
    limits = json.loads(sys.argv[1])
    renderer = Renderer(limits["output"], limits["cpu"])
    # Once through what is imported at first use, while files can still be opened.
    renderer.answer("{{ x | round }}{% for a in ['b'] %}{{ loop.index }}{% endfor %}", {"x": 1})
    renderer.answer("{{ nothing }}", {})
    renderer.answer("{{ x", {})
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    out = sys.stdout.buffer
    out.write(b"ready\n")
    out.flush()
    for line in sys.stdin.buffer:
        for text, variables in json.loads(line):
            out.write(json.dumps(renderer.answer(text, variables)).encode() + b"\n")
            out.flush()


if __name__ == "__main__":
    main()
