"""The daemon's settings: a file, the environment and flags, each value with its origin.

Later wins: default < file < environment < flag. Every key is a path (``listen``,
``sources.default.hosts``): in the environment ``SRE_OBS_`` and the path in capitals with
``_`` for ``.`` (``SRE_OBS_SOURCES_DEFAULT_HOSTS``), on the command line ``--listen`` or,
for every key, ``--set sources.default.hosts=...``. All three are texts, read alike. Secrets
are never taken from the command line, which others can read: each has a twin ``..._file``
that names a file, and of the two the later layer's counts.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from sre_obs.content import yaml
from sre_obs.content.duration import format_duration, parse_duration
from sre_obs.model.errors import ContentError, SreObsError, UsageError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.secret import Secret

PREFIX = "SRE_OBS_"
# Variables of the tests' own, which no setting is.
_TESTS = PREFIX + "TEST_"
DEFAULT_FILE = "sre-obs.yml"
# What `rules` is set to for the rules that ship with the program.
BUNDLED = "bundled"


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Duration = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]
# A pause of none at all would keep a processor busy.
Pause = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SourceSettings(_Section):
    """One Elasticsearch cluster that rules read."""

    hosts: Words = Field((), description="URLs of its nodes, tried in turn")
    api_key: SecretStr | None = Field(None, description="API key, as Kibana shows it (encoded)")
    api_key_file: Path | None = Field(None, description="file that holds the API key")
    user: str = Field("", description="user name, for basic authentication")
    password: SecretStr | None = Field(None, description="its password")
    password_file: Path | None = Field(None, description="file that holds the password")
    ca_certs: Path | None = Field(
        None, description="PEM file of the authority to trust, instead of the system's"
    )
    verify: bool = Field(True, description="check the server's certificate")
    proxy: str = Field(
        "", description="URL of the proxy to reach it through; the environment's is not used"
    )
    timeout: Pause = Field(10.0, description="time until a search counts as failed")
    allow: Words = Field(
        ("metrics-*", "logs-*", "traces-*"), description="index patterns that rules may read"
    )


class SlackSettings(_Section):
    """The bot that Slack receivers use unless they name their own."""

    token: SecretStr | None = Field(None, description="bot token (xoxb-...)")
    token_file: Path | None = Field(None, description="file that holds the bot token")
    api_url: str = Field("https://slack.com/api/", description="base of Slack's Web API")


class HeartbeatSettings(_Section):
    """A dead man's switch: an address that expects to hear from us."""

    url: SecretStr | None = Field(None, description="address called while all is well")
    url_file: Path | None = Field(None, description="file that holds the address")
    interval: Pause = Field(60.0, description="time between calls")


class LogSettings(_Section):
    """The daemon's own log, on standard error."""

    format: typing.Literal["auto", "text", "json"] = Field(
        "auto", description="text, ECS json, or by terminal (auto)"
    )
    level: typing.Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level written"
    )


class Settings(_Section):
    """Everything that `sre-obs run` can be told."""

    data: Path = Field(Path("sre-obs-data"), description="folder of the store (state.db)")
    rules: Path | None = Field(None, description="folder of rules, or `bundled`; none: a router")
    overrides: Path | None = Field(None, description="file that tunes rules without forking them")
    routes: Path | None = Field(None, description="routes file (a subset of alertmanager.yml)")
    listen: str = Field("127.0.0.1:9093", description="address of page and API")
    probe_listen: str = Field("", description="second address: probes and metrics, nothing else")
    external_url: str = Field("", description="address under which people reach the page")
    allowed_hosts: Words = Field((), description="more Host headers to accept")
    token: SecretStr | None = Field(None, description="token that callers must show")
    token_file: Path | None = Field(None, description="file that holds that token")
    retention: Pause = Field(30 * 86_400.0, description="how long history is kept")
    field_check: Pause = Field(300.0, description="time between checks of the fields in use")
    max_body: int = Field(16 * 2**20, description="largest request body in bytes", gt=0)
    sources: Mapping[str, SourceSettings] = Field(
        {}, description="Elasticsearch clusters by name; rules read `default`"
    )
    slack: SlackSettings = SlackSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    log: LogSettings = LogSettings()

    @field_validator("listen", "probe_listen")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            split_address(value)
        return value


def split_address(text: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` in two. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("not an address: write host:port, as in 127.0.0.1:9093")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its path, what it is for, its default and whether it is a secret."""

    path: str
    help: str
    default: str
    secret: bool
    boolean: bool = False

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.path.upper().replace(".", "_").replace("-", "_")

    @property
    def flag(self) -> str:
        """Its flag."""
        return "--" + self.path.replace(".", "-").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the origin of each value that is not a default, and what is odd."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(key, value with secrets masked, origin) of every key."""
        for key in keys({"default", *self.settings.sources}):
            value = _get(self.settings, key.path)
            yield key.path, _show(value), self.origins.get(key.path, "default")


def keys(sources: Iterable[str] = ("default",)) -> Iterator[Key]:
    """Every key there is, with the given names of sources."""
    for name, info in Settings.model_fields.items():
        kind = info.annotation
        if name == "sources":
            for source in sorted(sources):
                yield from _leaves(SourceSettings, f"sources.{source}")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, name)
        else:
            yield _key(name, info)


class _Layer(IntEnum):
    FILE = 1
    ENVIRONMENT = 2
    FLAG = 3


@dataclass(frozen=True, slots=True)
class _Value:
    """A setting as written: a text or a list of them, and where it stands."""

    value: Any
    origin: str
    layer: _Layer
    at: Location | None = None
    problem: str = ""  # its source line


_Values = dict[str, _Value]


def load(
    file: Path | None, environ: Mapping[str, str], flags: Mapping[str, tuple[object, str]]
) -> Loaded:
    """Settings from the three layers.

    `file` of None means ``sre-obs.yml`` here, if there is one. `flags` are path -> (value,
    the flag as typed). Raises ContentError for the file, UsageError for the other two.
    """
    if file is None and Path(DEFAULT_FILE).is_file():
        file = Path(DEFAULT_FILE)
    values: _Values = {} if file is None else _from_file(file)
    values |= _from_environment(environ, values)
    secrets = {key.path for key in keys(_source_names((*values, *flags))) if key.secret}
    for path, (value, flag) in flags.items():
        if path in secrets:
            raise UsageError(
                f"{path} is a secret, and other users can read a command line",
                where=flag,
                remedy=f"put it into a file and set {path}_file, or {_variable(path)}",
            )
        values[path] = _Value(value, flag, _Layer.FLAG)
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
        raise _explain(error, values) from None
    origins = {path: each.origin for path, each in values.items()}
    return Loaded(settings, origins, tuple(_unknown_variables(environ, values)))


def secret(value: SecretStr | None, file: Path | None, name: str) -> Secret:
    """The secret itself, from its value or its file. Raises UsageError if unreadable."""
    if value is not None:
        return Secret(value.get_secret_value())
    if file is None:
        return Secret("")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(
            f"can't read the secret {name}: {why}", where=str(file), remedy="check path and mode"
        ) from None
    if not text:
        raise UsageError(
            f"the secret {name} is empty", where=str(file), remedy="write it into that file"
        )
    return Secret(text)


def describe() -> Iterator[Key]:
    """Every key, with NAME where the name of a source stands."""
    yield from keys(("NAME",))


def _key(path: str, info: Any) -> Key:
    kinds = typing.get_args(info.annotation) or (info.annotation,)
    default = "" if info.is_required() else _show(info.get_default())
    return Key(path, info.description or "", default, SecretStr in kinds, bool in kinds)


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        yield _key(f"{prefix}.{name}", info)


def _variable(path: str) -> str:
    return Key(path, "", "", secret=True).variable


def _is_path(path: str) -> bool:
    info = _field(path)
    if info is None:
        return False
    kind = info.annotation
    args = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return Path in args


def _field(path: str) -> Any:
    parts = path.split(".")
    if parts[0] == "sources" and len(parts) == 3:
        return SourceSettings.model_fields.get(parts[2])
    info = Settings.model_fields.get(parts[0])
    if len(parts) == 2 and info is not None:
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_fields.get(parts[1])
        return None
    return info if len(parts) == 1 else None


def _from_file(file: Path) -> _Values:
    """The file's values, each with its place. Raises ContentError."""
    document, problems = yaml.load(file)
    if problems and problems[0].slug == "yaml/empty":
        return {}
    # What stands in a line that YAML can't read, or twice, may be a secret.
    problems = [replace(problem, source="") for problem in problems]
    values: _Values = {}
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
    into: _Values,
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
        value, known = _texts(node), _field(path) is not None
        source = "" if _is_secret(path) else document.problem("", place, "").source
        if value is not None or not known:
            # A key that nobody knows is what is wrong, not its value.
            where = place if known else at
            origin = f"{place.file}:{place.line}"
            into[path] = _Value(value, origin, _Layer.FILE, where, source)


def _texts(node: yaml.Node) -> Any:
    """A scalar's text, None for an empty one; a list of them."""
    if isinstance(node, yaml.Scalar):
        return None if node.empty else node.text
    if isinstance(node, yaml.Seq):
        return [_texts(item) for item in node]
    return yaml.plain(node)


def _is_secret(path: str) -> bool:
    info = _field(path)
    # An address may hold a password.
    carries = path.endswith((".hosts", ".proxy"))
    return info is None or carries or SecretStr in typing.get_args(info.annotation)


def _from_environment(environ: Mapping[str, str], values: _Values) -> _Values:
    # An empty variable is as if it were not set: compose files and manifests can't unset one.
    found: _Values = {}
    for key in keys(_names_in(environ, values)):
        text = environ.get(key.variable, "")
        if text:
            found[key.path] = _Value(text, key.variable, _Layer.ENVIRONMENT)
    return found


def _names_in(environ: Mapping[str, str], values: _Values) -> set[str]:
    """Names of sources, also of those that only SRE_OBS_SOURCES_<NAME>_<FIELD> knows."""
    names = _source_names(values)
    # A variable can't hold the dash of a name that the file has.
    taken = {name.replace("-", "_") for name in names}
    fields = sorted(SourceSettings.model_fields, key=len, reverse=True)
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


def _unknown_variables(environ: Mapping[str, str], values: _Values) -> Iterator[str]:
    known = {key.variable for key in keys(_names_in(environ, values))}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known and not _is_tests(variable):
            near = get_close_matches(variable, sorted(known), n=1)
            did = f"; did you mean {near[0]}?" if near else ""
            yield f"no setting reads the variable {variable}{did}"


def _is_tests(variable: str) -> bool:
    return variable.startswith(_TESTS)


def _source_names(paths: Iterable[str]) -> set[str]:
    parts = (path.split(".") for path in paths)
    return {p[1] for p in parts if p[0] == "sources" and len(p) > 1} | {"default"}


_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


def _check_source_name(path: str, values: _Values) -> None:
    parts = path.split(".")
    if parts[0] == "sources" and len(parts) > 1 and not _SOURCE_NAME.fullmatch(parts[1]):
        raise _wrong(
            [(values[path], path, "no name for a source", "small letters, digits, - and _")]
        )


def _one_of_two(values: _Values, path: str, twin: str) -> None:
    """Of a secret and the file that holds it the later layer's counts."""
    one, other = values.get(path), values.get(twin)
    if one is None or other is None:
        return
    if one.layer is other.layer:
        name = twin.rpartition(".")[2]
        raise _wrong([(other, twin, "stands beside the secret itself", f"drop it or {name}")])
    del values[path if one.layer < other.layer else twin]


def _put(tree: dict[str, Any], path: str, each: _Value) -> None:
    *above, last = path.split(".")
    for part in above:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise _wrong([(each, path, f"{part} is both a value and a section", "keep one")])
        tree = inner
    if isinstance(tree.get(last), dict):
        raise _wrong([(each, path, f"{last} is both a value and a section", "keep one")])
    tree[last] = each.value


def _get(settings: BaseModel, path: str) -> Any:
    value: Any = settings
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part, SourceSettings())
        else:
            value = getattr(value, part)
    return value


def _show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(_without_password(str(v)) for v in value)
    if isinstance(value, float):
        return format_duration(value)
    return _without_password(str(value))


def _without_password(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    if mark and "@" in rest.split("/", 1)[0]:
        return f"{scheme}://***@{rest.split('@', 1)[1]}"
    return text


def _explain(error: ValidationError, values: _Values) -> SreObsError:
    wrong = []
    for each in error.errors():
        path = ".".join(str(part) for part in each["loc"])
        found = next((v for p, v in values.items() if p == path), None) or next(
            (v for p, v in values.items() if p.startswith(path + ".") or path.startswith(p + ".")),
            _Value(None, path, _Layer.FLAG),
        )
        wrong.append((found, path, *_words(each, path, values)))
    return _wrong(wrong)


def _wrong(wrong: list[tuple[_Value, str, str, str]]) -> SreObsError:
    """An error about values: (value, path, what is wrong with it, what to do)."""
    problems = []
    for value, path, message, remedy in wrong:
        if value.at is None:
            return UsageError(message, where=value.origin or path, remedy=remedy)
        slug = "settings/unknown-key" if message == _UNKNOWN else "settings/wrong-value"
        text = f"{path}: {message}"
        problems.append(Problem(slug, Severity.ERROR, value.at, text, remedy, value.problem))
    return ContentError(sorted(problems, key=lambda problem: problem.location))


_UNKNOWN = "no such setting"


def _words(error: Any, path: str, values: _Values) -> tuple[str, str]:
    """pydantic's findings in our words, which never repeat a value that may be secret."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = [key.path for key in keys(_source_names(values))]
        near = get_close_matches(path, known, n=1)
        listed = "sre-obs config describe lists all keys"
        return _UNKNOWN, f"write {near[0]}" if near else listed
    if kind == "value_error":
        message = str(context.get("error", "wrong"))
        what, colon, remedy = message.partition(": ")
        return (what, remedy) if colon else (message, "")
    if kind == "literal_error":
        choices = str(context.get("expected", "")).replace("'", "")
        return "no such choice", f"one of: {choices}"
    if kind.startswith("bool"):
        return "must be true or false", "write true or false"
    if kind.startswith("int"):
        return "must be a whole number", "write it in digits"
    if kind in ("greater_than", "greater_than_equal"):
        return "must be more than 0", "write a larger one"
    if kind.startswith("tuple"):
        return "must be a list", "write [a, b], or a line that begins with - for each"
    if kind.startswith(("model", "mapping", "dict")):
        return "must be name: value pairs", "indent them below it"
    return "must be a text", "write one value"
