"""The three layers -> `Loaded`, or what is wrong and where."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from sre_obs.app.settings.key import PREFIX, Key, Loaded, field_of, keys
from sre_obs.app.settings.schema import BUNDLED, Settings, SourceSettings, named_fields
from sre_obs.app.settings.wrong import Layer, Value, Values, explain, refused, source_names
from sre_obs.content import yaml
from sre_obs.model.errors import ContentError, UsageError
from sre_obs.model.problem import Problem, Severity

DEFAULT_FILE = "sre-obs.yml"
# Variables of the tests' own, which no setting is.
_TESTS = PREFIX + "TEST_"


def load(
    file: Path | None, environ: Mapping[str, str], flags: Mapping[str, tuple[object, str]]
) -> Loaded:
    """Settings from the three layers.

    `file` of None means ``sre-obs.yml`` here, if there is one. `flags` are path -> (value,
    the flag as typed). Raises ContentError for the file, UsageError for the other two.
    """
    if file is None and Path(DEFAULT_FILE).is_file():
        file = Path(DEFAULT_FILE)
    values: Values = {} if file is None else _from_file(file)
    values |= _from_environment(environ, values)
    secrets = {key.path for key in keys(source_names((*values, *flags))) if key.secret}
    for path, (value, flag) in flags.items():
        if path in secrets:
            raise UsageError(
                f"{path} is a secret, and other users can read a command line",
                where=flag,
                remedy=f"put it into a file and set {path}_file, or {_variable(path)}",
            )
        values[path] = Value(value, flag, Layer.FLAG)
    for path in secrets:
        _one_of_two(values, path, f"{path}_file")
    for path in values:
        _check_source_name(path, values)
    tree: dict[str, Any] = {}
    for path, each in values.items():
        _put(tree, path, each)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise explain(error, values) from None
    origins = {path: each.origin for path, each in values.items()}
    return Loaded(settings, origins, tuple(_unknown_variables(environ, values)))


def _variable(path: str) -> str:
    return Key(path, "", "", secret=True).variable


def _is_path(path: str) -> bool:
    info = field_of(path)
    if info is None:
        return False
    kind = info.annotation
    args = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return Path in args


def _from_file(file: Path) -> Values:
    """The file's values, each with its place. Raises ContentError."""
    document, problems = yaml.load(file)
    if problems and problems[0].slug == "yaml/empty":
        return {}
    # What stands in a line that YAML can't read, or twice, may be a secret.
    problems = [replace(problem, source="") for problem in problems]
    values: Values = {}
    if isinstance(document.root, yaml.Map):
        _flatten(document, document.root, "", values, problems)
    elif document.root is not None:
        problems.append(
            document.problem(
                "settings/wrong-value",
                document.place(document.root),
                "the settings are not key: value pairs",
                "sre-obs config describe lists all keys",
            )
        )
    errors = [p for p in problems if p.severity is Severity.ERROR]
    if errors:
        raise ContentError(errors)
    for path, each in values.items():
        # A path in a file is meant from that file's folder, wherever the daemon starts.
        if _is_path(path) and isinstance(each.value, str) and each.value not in ("", BUNDLED):
            values[path] = replace(each, value=str(file.parent / each.value))
    return values


def _flatten(
    document: yaml.Document,
    block: yaml.Map,
    prefix: str,
    into: Values,
    problems: list[Problem],
) -> None:
    for name, node in block.items():
        path = f"{prefix}{name}"
        at = document.key(block, name)
        if "." in name:
            problems.append(
                document.problem(
                    "settings/unknown-key",
                    at,
                    f"no such key: {name}",
                    f"nest it: {': {'.join(name.split('.'))}: ...{'}' * name.count('.')}",
                )
            )
            continue
        if isinstance(node, yaml.Map):
            _flatten(document, node, path + ".", into, problems)
            continue
        place = document.place(node)
        value, known = _texts(node), field_of(path) is not None
        source = "" if _is_secret(path) else document.problem("", place, "").source
        if value is not None or not known:
            # A key that nobody knows is what is wrong, not its value.
            where = place if known else at
            origin = f"{place.file}:{place.line}"
            into[path] = Value(value, origin, Layer.FILE, where, source)


def _texts(node: yaml.Node) -> Any:
    """A scalar's text, None for an empty one; a list of them."""
    if isinstance(node, yaml.Scalar):
        return None if node.empty else node.text
    if isinstance(node, yaml.Seq):
        return [_texts(item) for item in node]
    return yaml.plain(node)


def _is_secret(path: str) -> bool:
    info = field_of(path)
    # An address may hold a password.
    carries = path.endswith((".hosts", ".proxy"))
    return info is None or carries or SecretStr in typing.get_args(info.annotation)


def _from_environment(environ: Mapping[str, str], values: Values) -> Values:
    # An empty variable is as if it were not set: compose files and manifests can't unset one.
    found: Values = {}
    for key in keys(_names_in(environ, values)):
        text = environ.get(key.variable, "")
        if text:
            found[key.path] = Value(text, key.variable, Layer.ENVIRONMENT)
    return found


def _names_in(environ: Mapping[str, str], values: Values) -> set[str]:
    """Names of sources, also of those that only SRE_OBS_SOURCES_<NAME>_<FIELD> knows."""
    names = source_names(values)
    # A variable can't hold the dash of a name that the file has.
    taken = {name.replace("-", "_") for name in names}
    fields = sorted(named_fields(SourceSettings), key=len, reverse=True)
    for variable in environ:
        rest = variable.removeprefix(PREFIX + "SOURCES_")
        if rest == variable:
            continue
        for name in fields:
            if rest.endswith("_" + name.upper()):
                found = rest[: -len(name) - 1].lower()
                if found and found not in taken:
                    names.add(found)
                break
    return names


def _unknown_variables(environ: Mapping[str, str], values: Values) -> Iterator[str]:
    known = {key.variable for key in keys(_names_in(environ, values))}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known and not _is_tests(variable):
            near = get_close_matches(variable, sorted(known), n=1)
            did = f"; did you mean {near[0]}?" if near else ""
            yield f"no setting reads the variable {variable}{did}"


def _is_tests(variable: str) -> bool:
    return variable.startswith(_TESTS)


_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


def _check_source_name(path: str, values: Values) -> None:
    parts = path.split(".")
    if parts[0] == "sources" and len(parts) > 1 and not _SOURCE_NAME.fullmatch(parts[1]):
        raise refused(
            [(values[path], path, "no name for a source", "small letters, digits, - and _")]
        )


def _one_of_two(values: Values, path: str, twin: str) -> None:
    """Of a secret and the file that holds it the later layer's counts."""
    one, other = values.get(path), values.get(twin)
    if one is None or other is None:
        return
    if one.layer is other.layer:
        name = twin.rpartition(".")[2]
        raise refused([(other, twin, "stands beside the secret itself", f"drop it or {name}")])
    del values[path if one.layer < other.layer else twin]


def _put(tree: dict[str, Any], path: str, each: Value) -> None:
    *above, last = path.split(".")
    for part in above:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise refused([(each, path, f"{part} is both a value and a section", "keep one")])
        tree = inner
    if isinstance(tree.get(last), dict):
        raise refused([(each, path, f"{last} is both a value and a section", "keep one")])
    tree[last] = each.value
