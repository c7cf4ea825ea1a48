"""Settings: four layers, each value with its origin, secrets masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.app.settings import keys, load, secret
from sre_obs.model.errors import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sre-obs.yml"
    path.write_text("listen: 127.0.0.1:1111\nsources:\n  default:\n    hosts: [http://a:9200]\n")
    return path


def test_a_flag_beats_the_environment_which_beats_the_file(file: Path) -> None:
    environ = {"SRE_OBS_LISTEN": "127.0.0.1:2222"}
    assert load(file, {}, {}).settings.listen == "127.0.0.1:1111"
    assert load(file, environ, {}).settings.listen == "127.0.0.1:2222"
    assert load(file, environ, {"listen": "127.0.0.1:3333"}).settings.listen == "127.0.0.1:3333"


def test_each_value_is_shown_with_its_origin(file: Path) -> None:
    environ = {"SRE_OBS_SLACK_TOKEN": "xoxb-1", "SRE_OBS_HEARTBEAT_INTERVAL": "5m"}
    loaded = load(file, environ, {"data": "d"})
    rows = {key: (value, origin) for key, value, origin in loaded.rows()}
    assert rows["listen"] == ("127.0.0.1:1111", str(file))
    assert rows["heartbeat.interval"] == ("300s", "SRE_OBS_HEARTBEAT_INTERVAL")
    assert rows["data"] == ("d", "flag")
    assert rows["probe_listen"] == ("", "default")


def test_secrets_are_masked_wherever_they_come_from(file: Path) -> None:
    environ = {
        "SRE_OBS_SLACK_TOKEN": "xoxb-hidden",
        "SRE_OBS_SOURCES_DEFAULT_HOSTS": "https://user:hidden@es:9200",
    }
    loaded = load(file, environ, {})
    assert "hidden" not in repr(list(loaded.rows()))
    assert "hidden" not in repr(loaded.settings.slack)


def test_a_source_known_to_the_environment_alone_is_a_source() -> None:
    loaded = load(None, {"SRE_OBS_SOURCES_LOGS_HOSTS": "http://a:1,http://b:2"}, {})
    assert loaded.settings.sources["logs"].hosts == ("http://a:1", "http://b:2")


def test_every_key_can_be_set_by_its_variable_and_by_its_flag() -> None:
    for key in keys():
        value = "127.0.0.1:1" if "listen" in key.path else "false" if key.boolean else "7"
        if key.path.startswith("log."):
            value = "json" if key.path == "log.format" else "debug"
        assert load(None, {key.variable: value}, {}).origins[key.path] == key.variable
        if not key.secret:
            assert load(None, {}, {key.path: value}).origins[key.path] == "flag"


def test_a_secret_on_the_command_line_is_refused() -> None:
    with pytest.raises(UsageError, match="command line") as caught:
        load(None, {}, {"slack.token": "xoxb-1"})
    assert "slack.token_file" in caught.value.remedy


def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("lisen: 127.0.0.1:1\n")
    with pytest.raises(UsageError, match="lisen") as caught:
        load(path, {}, {})
    assert "listen" in caught.value.remedy
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listen: nowhere", "write host:port"),
        ("listen: 127.0.0.1:99999", "write host:port"),
        ("max_body: -1", "max_body"),
        ("heartbeat: {interval: soon}", "heartbeat.interval"),
        ("- a\n- b", "not key: value pairs"),
        ("a: b: c", "not readable as YAML"),
        ("listen: 'x", "not readable as YAML"),
    ],
)
def test_a_wrong_file_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "s.yml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        load(path, {}, {})
    assert str(path) in caught.value.where


def test_paths_in_a_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("rules: rules\ndata: /var/lib/sre-obs\n")
    settings = load(path, {}, {}).settings
    assert settings.rules == tmp_path / "rules"
    assert settings.data == Path("/var/lib/sre-obs")


def test_a_secret_is_read_from_its_file_without_the_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    assert secret(None, path, "token").reveal() == "abc"


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"slack\.token") as caught:
        secret(None, tmp_path / "nowhere", "slack.token")
    assert str(tmp_path / "nowhere") in caught.value.where
