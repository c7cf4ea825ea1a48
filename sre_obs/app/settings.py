"""The daemon's settings: a file, the environment and flags, each value with its origin.

Later wins: default < file < environment < flag. Every key is a path (``listen``,
``sources.default.hosts``): in the environment ``SRE_OBS_`` and the path in capitals with
``_`` for ``.`` (``SRE_OBS_SOURCES_DEFAULT_HOSTS``), on the command line ``--listen`` or,
for every key, ``--set sources.default.hosts=...``. Secrets are never taken from the
command line, which others can read: each has a twin ``..._file`` that names a file.
"""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from sre_obs.content.duration import parse_duration
from sre_obs.model.errors import UsageError
from sre_obs.model.secret import Secret

PREFIX = "SRE_OBS_"
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
    ca_certs: Path | None = Field(None, description="PEM file of the authority to trust")
    verify: bool = Field(True, description="check the server's certificate")
    proxy: str = Field("", description="HTTP proxy to reach it through")
    timeout: Duration = Field(10.0, description="seconds until a search counts as failed")
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
    interval: Duration = Field(60.0, description="seconds between calls")


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
    retention: Duration = Field(30 * 86_400.0, description="how long history is kept")
    field_check: Duration = Field(300.0, description="seconds between checks of the fields in use")
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
        raise ValueError("write host:port, for example 127.0.0.1:9093")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its path, what it is for and whether it is a secret."""

    path: str
    description: str
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
    """Settings with the origin of each value that is not a default."""

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(key, value with secrets masked, origin) of every key."""
        for key in keys(self.settings.sources or ("default",)):
            value = _get(self.settings, key.path)
            yield key.path, _show(value), self.origins.get(key.path, "default")


def keys(sources: typing.Iterable[str] = ("default",)) -> Iterator[Key]:
    """Every key there is, with the given names of sources."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if name == "sources":
            for source in sources:
                yield from _leaves(SourceSettings, f"sources.{source}")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, name)
        else:
            yield _key(name, field)


def load(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Loaded:
    """Settings from the three layers.

    `file` of None means ``sre-obs.yml`` here, if there is one. `flags` are path -> value.
    Raises UsageError that names the origin of what is wrong.
    """
    layers: dict[str, tuple[Any, str]] = {}
    if file is None and Path(DEFAULT_FILE).is_file():
        file = Path(DEFAULT_FILE)
    base = Path()
    if file is not None:
        base = file.parent
        _flatten(_read(file), "", str(file), layers)
    for path, (value, _) in list(layers.items()):
        # A path in a file is meant from that file's folder, wherever the daemon starts.
        if _is_path(path) and isinstance(value, str) and value not in ("", BUNDLED):
            layers[path] = (str(base / value), layers[path][1])
    layers.update(_from_environment(environ, layers))
    secret = {key.path for key in keys(_source_names(layers, flags)) if key.secret}
    for path, value in flags.items():
        if path in secret:
            raise UsageError(
                f"{path} is a secret, and other users can read a command line",
                where=f"--set {path}",
                remedy=f"put it into a file and set {path}_file, or {PREFIX}...",
            )
        layers[path] = (value, "flag")
    tree: dict[str, Any] = {}
    for path, (value, _) in layers.items():
        _put(tree, path.split("."), value)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise _explain(error, layers) from None
    return Loaded(settings, {path: origin for path, (_, origin) in layers.items()})


def secret(value: SecretStr | None, file: Path | None, name: str) -> Secret:
    """The secret itself, from its value or its file. Raises UsageError if unreadable."""
    if value is not None:
        return Secret(value.get_secret_value())
    if file is None:
        return Secret("")
    try:
        return Secret(file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(
            f"can't read the secret {name}: {why}", where=str(file), remedy="check path and mode"
        ) from None


def _key(path: str, field: Any) -> Key:
    kinds = typing.get_args(field.annotation) or (field.annotation,)
    return Key(path, field.description or "", SecretStr in kinds, bool in kinds)


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        yield _key(f"{prefix}.{name}", field)


def _is_path(path: str) -> bool:
    field = _field(path)
    if field is None:
        return False
    kind = field.annotation
    args = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return Path in args


def _field(path: str) -> Any:
    parts = path.split(".")
    if parts[0] == "sources" and len(parts) == 3:
        return SourceSettings.model_fields.get(parts[2])
    field = Settings.model_fields.get(parts[0])
    if len(parts) == 2 and field is not None:
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_fields.get(parts[1])
        return None
    return field if len(parts) == 1 else None


def _read(file: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"can't read the settings: {error.strerror}",
            where=str(file),
            remedy="check --config",
        ) from None
    except UnicodeDecodeError:
        raise UsageError("not UTF-8 text", where=str(file), remedy="save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise UsageError(
            f"not readable as YAML: {getattr(error, 'problem', None) or 'malformed'}",
            where=place,
            remedy="quote the text, or mend the indentation",
        ) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(
            "the settings are not key: value pairs", where=str(file), remedy="see the README"
        )
    return data


def _flatten(
    data: Mapping[str, Any], prefix: str, origin: str, into: dict[str, tuple[Any, str]]
) -> None:
    for name, value in data.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            _flatten(value, path + ".", origin, into)
        else:
            into[path] = (value, origin)


def _from_environment(
    environ: Mapping[str, str], layers: Mapping[str, tuple[Any, str]]
) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    names = set(_source_names(layers, {}))
    fields = sorted(SourceSettings.model_fields, key=len, reverse=True)
    for variable in environ:
        # A source that only the environment knows: SRE_OBS_SOURCES_<NAME>_<FIELD>.
        rest = variable.removeprefix(PREFIX + "SOURCES_")
        if rest != variable:
            for name in fields:
                if rest.endswith("_" + name.upper()):
                    names.add(rest[: -len(name) - 1].lower())
                    break
    for key in keys(sorted(names)):
        if key.variable in environ:
            found[key.path] = (environ[key.variable], key.variable)
    return found


def _source_names(layers: Mapping[str, object], flags: Mapping[str, object]) -> tuple[str, ...]:
    names = {p.split(".")[1] for p in (*layers, *flags) if p.startswith("sources.")}
    return tuple(sorted(names | {"default"}))


def _put(tree: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{part} is both a value and a section", remedy="keep one of them")
        tree = inner
    tree[parts[-1]] = value


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
    if isinstance(value, tuple):
        return ", ".join(_without_password(str(v)) for v in value)
    if isinstance(value, float):
        return f"{value:g}s"
    return _without_password(str(value))


def _without_password(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    if mark and "@" in rest.split("/", 1)[0]:
        return f"{scheme}://***@{rest.split('@', 1)[1]}"
    return text


def _explain(error: ValidationError, layers: Mapping[str, tuple[Any, str]]) -> UsageError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    origin = next((o for p, (_, o) in layers.items() if p == path or p.startswith(path)), "?")
    if first["type"] == "extra_forbidden":
        known = [key.path for key in keys(_source_names(layers, {}))]
        near = get_close_matches(path, known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "sre-obs config show lists all keys"
        return UsageError(f"no setting is called {path}", where=origin, remedy=remedy)
    message = str(first["msg"]).removeprefix("Value error, ")
    return UsageError(f"{path}: {message}", where=origin, remedy="see sre-obs config show")


def environment() -> Mapping[str, str]:
    """The process's environment: the one place where it is read."""
    return os.environ
