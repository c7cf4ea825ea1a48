"""What can be set: the models, each key with what it is for and its default."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo

from sre_obs.content.duration import parse_duration
from sre_obs.content.files import read_secret
from sre_obs.model.errors import UsageError
from sre_obs.model.secret import Secret

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
    """One Elasticsearch cluster: rules read it, or the alerts that Kibana keeps there are
    followed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=False,
        validate_by_alias=True,
    )

    from_: typing.Literal["rules", "kibana"] = Field(
        "rules", alias="from", description="rules read it, or Kibana's own alerts are told"
    )
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
    kibana_url: str = Field("", description="kibana: its public address, for links")
    spaces: Words = Field((), description="kibana: spaces to follow; none named: all")
    severity: str = Field("warning", description="kibana: of alerts that have none of their own")
    poll: Pause = Field(15.0, description="kibana: time between looks")
    stale_after: Pause = Field(
        86_400.0, description="kibana: an alert that no run wrote for so long is over"
    )
    security_ttl: Pause = Field(
        86_400.0, description="kibana: a security alert that nobody closes ends after this"
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
    environment: str = Field("", description="which of the overrides' environments this is")
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


def named_fields(model: type[BaseModel]) -> Mapping[str, tuple[str, FieldInfo]]:
    """Key as written -> the attribute that holds it, and what is known of it."""
    return {info.alias or name: (name, info) for name, info in model.model_fields.items()}


def split_address(text: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` in two. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("not an address: write host:port, as in 127.0.0.1:9093")
    return host.strip("[]"), int(port)


def secret(value: SecretStr | None, file: Path | None, name: str) -> Secret:
    """The secret itself, from its value or its file. Raises UsageError if unreadable."""
    if value is not None:
        return Secret(value.get_secret_value())
    if file is None:
        return Secret("")
    try:
        text = read_secret(file)
    except UnicodeDecodeError:
        why = "not UTF-8 text"
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValueError as error:
        why = str(error)
    else:
        if text:
            return Secret(text)
        raise UsageError(
            f"the secret {name} is empty", where=str(file), remedy="write it into that file"
        )
    raise UsageError(
        f"can't read the secret {name}: {why}", where=str(file), remedy="check path and mode"
    )
