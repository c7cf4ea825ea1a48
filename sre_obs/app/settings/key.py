"""Every setting as a key: its path, variable and flag, and its value as it may be shown."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from sre_obs.app.settings.schema import Settings, SourceSettings, named_fields
from sre_obs.content.duration import format_duration

PREFIX = "SRE_OBS_"


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


def describe() -> Iterator[Key]:
    """Every key, with NAME where the name of a source stands."""
    yield from keys(("NAME",))


def field_of(path: str) -> Any:
    parts = path.split(".")
    if parts[0] == "sources" and len(parts) == 3:
        return named_fields(SourceSettings).get(parts[2], ("", None))[1]
    info = Settings.model_fields.get(parts[0])
    if len(parts) == 2 and info is not None:
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_fields.get(parts[1])
        return None
    return info if len(parts) == 1 else None


def _key(path: str, info: Any) -> Key:
    kinds = typing.get_args(info.annotation) or (info.annotation,)
    default = "" if info.is_required() else _show(info.get_default())
    return Key(path, info.description or "", default, SecretStr in kinds, bool in kinds)


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, (_, info) in named_fields(model).items():
        yield _key(f"{prefix}.{name}", info)


def _get(settings: BaseModel, path: str) -> Any:
    value: Any = settings
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part, SourceSettings())
        else:
            value = getattr(value, named_fields(type(value))[part][0])
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
