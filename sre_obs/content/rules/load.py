"""One rule file, or a folder of them, -> rules and problems."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sre_obs.content import yaml
from sre_obs.content.rules.build import build
from sre_obs.content.rules.index import DEFAULT_ALLOW
from sre_obs.content.rules.schema import WORDS, RuleShape
from sre_obs.content.shape import read_shape
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Rule

Allow = Sequence[str] | Mapping[str, Sequence[str]]

# A slug becomes the label `alertname` and a part of addresses.
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
_SUFFIXES = (".yml", ".yaml")
# Files and folders at the top of a folder of rules that are no rules.
_OTHER_FILES = frozenset(
    f"{name}{suffix}" for name in ("overrides", "routes", "silences") for suffix in _SUFFIXES
)
_OTHER_FOLDERS = frozenset(("telemetry", "schema"))
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rules by id, and what is wrong. A file with an error gives no rule."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]


def load_rules(path: Path, *, allow: Allow = DEFAULT_ALLOW, name: str = "") -> Loaded:
    """Load a folder (all its ``<service>/<slug>.yml``) or one file.

    `allow` are the index patterns that rules may read: the same for every source, or by the
    source's name (a rule on a source that is not there is an error then). `name` is what
    `path` is called in problems and alerts; by default the path itself.
    """
    shown = name or str(path)
    if not path.is_dir():
        rule, problems = load_rule(path, allow=allow, name=shown)
        return Loaded(() if rule is None else (rule,), tuple(problems))
    found: list[Problem] = []
    rules: dict[str, Rule] = {}
    slugs: dict[str, str] = {}

    def unreadable(folder: Path, error: OSError) -> None:
        called = os.path.join(shown, folder.relative_to(path))
        message = f"can't read the folder: {error.strerror or type(error).__name__}"
        found.append(
            Problem("rules/unreadable", Severity.ERROR, Location(called), message, "check its mode")
        )

    for file in rule_files(path, unreadable):
        called = os.path.join(shown, file.relative_to(path))
        rule, problems = load_rule(file, allow=allow, name=called)
        found += problems
        if rule is None:
            continue
        other = slugs.setdefault(rule.slug, called)
        if other != called:
            message = f'the name "{rule.slug}" is taken by {other}'
            remedy = "rename one of the files: the name is the label alertname"
            found.append(Problem("rules/duplicate", Severity.ERROR, rule.location, message, remedy))
        else:
            rules[rule.id] = rule
    return Loaded(tuple(rules[id_] for id_ in sorted(rules)), tuple(found))


def load_rule(
    path: Path, *, allow: Allow = DEFAULT_ALLOW, name: str = ""
) -> tuple[Rule | None, list[Problem]]:
    """Load one file."""
    return read_rule(*yaml.load(path, name=name), path, allow)


def parse_rule(
    text: str | bytes, path: Path, *, allow: Allow = DEFAULT_ALLOW
) -> tuple[Rule | None, list[Problem]]:
    """A rule's text as if it were in the file `path`."""
    return read_rule(*yaml.parse(text, str(path)), path, allow)


def rule_files(folder: Path, on_error: Callable[[Path, OSError], None]) -> Iterator[Path]:
    """The rule files below a folder, each once, in order of their paths; not tests, nor at
    the top ``telemetry/``, ``schema/``, and the files of overrides, routes and silences.

    Names that begin with a dot are skipped: in a mounted ConfigMap each file is a link into
    ``..data``, which is a link to ``..2026_...``. Folders that are links are followed, but
    none twice. A folder that can't be read is reported to `on_error` and left out.
    """
    seen: set[str] = set()

    def walk(folder: Path, depth: int) -> Iterator[Path]:
        real = os.path.realpath(folder)
        if real in seen or depth > _MAX_DEPTH:
            return
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            on_error(folder, error)
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = folder / entry.name
            try:
                below = entry.is_dir()
            except OSError as error:  # a link that leads to itself
                on_error(path, error)
                continue
            if below:
                if depth > 0 or entry.name not in _OTHER_FOLDERS:
                    yield from walk(path, depth + 1)
            elif _is_rule(entry.name, top=depth == 0):
                yield path

    yield from walk(folder, 0)


def _is_rule(name: str, *, top: bool) -> bool:
    stem, suffix = os.path.splitext(name)
    if suffix not in _SUFFIXES or stem.endswith(".test"):
        return False
    return not (top and name in _OTHER_FILES)


def read_rule(
    document: yaml.Document, problems: list[Problem], path: Path, allow: Allow
) -> tuple[Rule | None, list[Problem]]:
    """A rule out of a text that was read, and what is wrong besides `problems`, those of
    reading it."""
    id_, named = _identity(document, path)
    problems = problems + named
    shape, wrong = read_shape(document, RuleShape, WORDS)
    problems += wrong
    if shape is None:
        return None, problems
    sources = allow if isinstance(allow, Mapping) else {shape.source: allow}
    rule, wrong = build(document, shape, id_, sources)
    problems += wrong
    broken = any(p.severity is Severity.ERROR for p in problems)
    return (None if broken else rule), problems


def _identity(document: yaml.Document, path: Path) -> tuple[str, list[Problem]]:
    """The rule's id from where it lies: the folder's name and the file's."""
    slug = path.name
    for suffix in _SUFFIXES:
        slug = slug.removesuffix(suffix)
    service = path.absolute().parent.name or "rules"
    place = Location(document.file)
    wrong = [
        document.problem(
            "rules/name",
            place,
            f'"{part}" is no name for a {what}',
            "small letters, digits, dots and dashes",
        )
        for part, what in ((slug, "rule"), (service, "service"))
        if not _SLUG.fullmatch(part)
    ]
    return f"{service}/{slug}", wrong
