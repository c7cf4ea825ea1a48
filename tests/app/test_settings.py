"""Settings: four layers, each value with its origin, secrets masked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sre_obs.app.settings import Key, Loaded, describe, keys, load, secret
from sre_obs.model.errors import ContentError, SreObsError, UsageError
from sre_obs.model.problem import Problem


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sre-obs.yml"
    path.write_text("listen: 127.0.0.1:1111\nsources:\n  default:\n    hosts: [http://a:9200]\n")
    return path


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "s.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem_of(path: Path) -> Problem:
    with pytest.raises(ContentError) as caught:
        load(path, {}, {})
    return caught.value.problems[0]


def origins(loaded: Loaded) -> dict[str, tuple[str, str]]:
    return {key: (value, origin) for key, value, origin in loaded.rows()}


def valid(key: Key) -> str:
    """A text that is right for that key."""
    if "listen" in key.path:
        return "127.0.0.1:1"
    if key.boolean:
        return "false"
    if key.path.endswith(".from"):
        return "kibana"
    return {"log.format": "json", "log.level": "debug", "max_body": "7"}.get(key.path, "7s")


def test_a_flag_beats_the_environment_which_beats_the_file(file: Path) -> None:
    environ = {"SRE_OBS_LISTEN": "127.0.0.1:2222"}
    flags = {"listen": ("127.0.0.1:3333", "--listen")}
    assert load(file, {}, {}).settings.listen == "127.0.0.1:1111"
    assert load(file, environ, {}).settings.listen == "127.0.0.1:2222"
    assert load(file, environ, flags).settings.listen == "127.0.0.1:3333"


def test_each_value_is_shown_with_its_origin(file: Path) -> None:
    environ = {"SRE_OBS_SLACK_TOKEN": "xoxb-1", "SRE_OBS_HEARTBEAT_INTERVAL": "5m"}
    rows = origins(load(file, environ, {"data": ("d", "--data")}))
    assert rows["listen"] == ("127.0.0.1:1111", f"{file}:1")
    assert rows["sources.default.hosts"] == ("http://a:9200", f"{file}:4")
    assert rows["heartbeat.interval"] == ("5m", "SRE_OBS_HEARTBEAT_INTERVAL")
    assert rows["slack.token"] == ("***", "SRE_OBS_SLACK_TOKEN")
    assert rows["data"] == ("d", "--data")
    assert rows["probe_listen"] == ("", "default")
    assert rows["sources.default.verify"] == ("true", "default")


def test_secrets_are_masked_wherever_they_come_from(file: Path) -> None:
    environ = {
        "SRE_OBS_SLACK_TOKEN": "xoxb-hidden",
        "SRE_OBS_SOURCES_DEFAULT_HOSTS": "https://user:hidden@es:9200",
        "SRE_OBS_SOURCES_DEFAULT_PROXY": "http://user:hidden@proxy:3128",
        "SRE_OBS_HEARTBEAT_URL": "https://beats.example.com/hidden",
    }
    loaded = load(file, environ, {})
    assert "hidden" not in repr(list(loaded.rows()))
    assert "hidden" not in repr(loaded.settings.slack)


def test_a_source_known_to_the_environment_alone_is_a_source() -> None:
    loaded = load(None, {"SRE_OBS_SOURCES_LOGS_HOSTS": "http://a:1,http://b:2"}, {})
    assert loaded.settings.sources["logs"].hosts == ("http://a:1", "http://b:2")
    assert "sources.default.hosts" in origins(loaded)


def test_a_source_whose_name_has_a_dash_is_found_by_its_variable(tmp_path: Path) -> None:
    path = written(tmp_path, "sources: {eu-logs: {hosts: [http://a:1]}}")
    loaded = load(path, {"SRE_OBS_SOURCES_EU_LOGS_USER": "ana"}, {})
    assert list(loaded.settings.sources) == ["eu-logs"]
    assert loaded.settings.sources["eu-logs"].user == "ana"


def test_every_key_can_be_set_by_its_variable_and_by_its_flag() -> None:
    for key in keys():
        loaded = load(None, {key.variable: valid(key)}, {})
        assert loaded.origins[key.path] == key.variable
        assert loaded.warnings == ()
        if not key.secret:
            loaded = load(None, {}, {key.path: (valid(key), key.flag)})
            assert loaded.origins[key.path] == key.flag


def test_every_key_can_be_set_in_a_file(tmp_path: Path) -> None:
    for key in keys():
        *above, last = key.path.split(".")
        lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(above)]
        lines.append(f"{'  ' * len(above)}{last}: {valid(key)}")
        path = written(tmp_path, "\n".join(lines))
        assert load(path, {}, {}).origins[key.path] == f"{path}:{len(lines)}"


def test_a_value_is_read_alike_from_each_layer(tmp_path: Path) -> None:
    path = written(tmp_path, "retention: 7d\nmax_body: 1000\nsources: {default: {verify: false}}")
    environ = {
        "SRE_OBS_RETENTION": "7d",
        "SRE_OBS_MAX_BODY": "1000",
        "SRE_OBS_SOURCES_DEFAULT_VERIFY": "false",
    }
    flags = {
        "retention": ("7d", ""),
        "max_body": ("1000", ""),
        "sources.default.verify": ("false", ""),
    }
    one = load(path, {}, {}).settings
    assert one == load(None, environ, {}).settings == load(None, {}, flags).settings
    assert one.retention == 7 * 86_400


def test_an_empty_variable_is_as_if_it_were_not_set(file: Path) -> None:
    assert load(file, {"SRE_OBS_LISTEN": ""}, {}).settings.listen == "127.0.0.1:1111"


def test_an_unknown_variable_is_warned_about_with_the_nearest_name() -> None:
    environ = {"SRE_OBS_LISTN": "x", "SRE_OBS_TEST_ELASTICSEARCH_URL": "y", "PATH": "z"}
    (warning,) = load(None, environ, {}).warnings
    assert "SRE_OBS_LISTN" in warning
    assert "did you mean SRE_OBS_LISTEN?" in warning


def test_a_secret_on_the_command_line_is_refused_without_repeating_it() -> None:
    with pytest.raises(UsageError, match="command line") as caught:
        load(None, {}, {"slack.token": ("xoxb-1", "--set slack.token")})
    assert "slack.token_file" in caught.value.remedy
    assert "SRE_OBS_SLACK_TOKEN" in caught.value.remedy
    assert "xoxb" not in f"{caught.value} {caught.value.where} {caught.value.remedy}"


def test_of_a_secret_and_its_file_the_later_layer_counts(tmp_path: Path) -> None:
    path = written(tmp_path, "slack: {token: xoxb-file}\ntoken_file: t")
    found = load(path, {"SRE_OBS_SLACK_TOKEN_FILE": "/run/token"}, {}).settings.slack
    assert found.token is None
    assert found.token_file == Path("/run/token")
    settings = load(path, {"SRE_OBS_TOKEN": "x"}, {}).settings
    assert settings.token is not None
    assert settings.token_file is None


def test_a_secret_beside_its_file_in_one_layer_is_refused(tmp_path: Path) -> None:
    problem = problem_of(written(tmp_path, "slack:\n  token: xoxb-file\n  token_file: t"))
    assert "token_file" in problem.message
    assert problem.location.line == 3
    with pytest.raises(UsageError, match="beside the secret"):
        load(None, {"SRE_OBS_TOKEN": "a", "SRE_OBS_TOKEN_FILE": "b"}, {})


@pytest.mark.parametrize(
    ("text", "place", "words", "remedy"),
    [
        ("lisen: 127.0.0.1:1", "1:1", "no such setting", "listen"),
        ("listen: nowhere", "1:9", "not an address", "write host:port"),
        ("listen: 127.0.0.1:99999", "1:9", "not an address", "write host:port"),
        ("max_body: -1", "1:11", "more than 0", ""),
        ("max_body: many", "1:11", "whole number", ""),
        ("\nheartbeat: {interval: soon}", "2:23", "heartbeat.interval", "write 30s"),
        ("heartbeat: {interval: 5}", "1:23", "no duration", "lacks a unit, write 5s"),
        ("heartbeat:\n  interval: 0s", "2:13", "more than 0", ""),
        ("log: {level: loud}", "1:14", "no such choice", "'debug', "),
        ("sources: {default: {verify: maybe}}", "1:29", "true or false", ""),
        ("sources: {default: {hots: [x]}}", "1:21", "no such setting", "sources.default.hosts"),
        ("sources: {Prod: {hosts: [x]}}", "1:25", "no name for a source", "small letters"),
        ("listen: {a: b}", "1:10", "", ""),
        ("listen: [a, b]", "1:9", "must be a text", ""),
        ("heartbeat.interval: 5m", "1:1", "no such key", "nest it: heartbeat: {interval: ...}"),
        ("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2", "2:1", '"listen" twice', "keep one"),
        ("slack: {token: a,\n token: b}", "2:2", '"token" twice', "keep one"),
        ("- a\n- b", "1:1", "not key: value pairs", ""),
        ("a: b: c", "1:5", "unquoted", "quote"),
        ("listen: 'x", "1:9", "never closed", "close it"),
        (b"listen: \xff", "1:9", "not UTF-8", ""),
    ],
)
def test_a_wrong_file_is_told_at_its_place(
    tmp_path: Path, text: str | bytes, place: str, words: str, remedy: str
) -> None:
    path = written(tmp_path, text)
    problem = problem_of(path)
    assert str(problem.location) == f"{path}:{place}"
    assert words in problem.message or words in problem.remedy
    assert remedy.replace("'", "") in problem.remedy


def test_all_that_is_wrong_in_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "max_body: x\nlisen: y\nlog: {level: loud}")
    with pytest.raises(ContentError) as caught:
        load(path, {}, {})
    assert [p.location.line for p in caught.value.problems] == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "slack: {token: xoxb-canary, tokn: a}",
        "slack: {tokn: xoxb-canary}",
        "slack: {token: xoxb-canary: b}",
        "token: xoxb-canary\ntoken: xoxb-canary",
        "token: [xoxb-canary]",
        "token: 'xoxb-canary",
        "sources: {default: {hosts: {https://a:xoxb-canary@es: 1}}}",
    ],
)
def test_a_secret_in_a_wrong_file_is_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContentError) as caught:
        load(written(tmp_path, text), {}, {})
    if "hosts" not in text:
        assert "canary" not in repr(caught.value.problems)
    assert all("canary" not in problem.source for problem in caught.value.problems)


@pytest.mark.parametrize("value", ["soon", "xoxb-canary"])
def test_a_wrong_variable_is_named_and_a_wrong_flag_too(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(None, {"SRE_OBS_MAX_BODY": value}, {})
    assert caught.value.where == "SRE_OBS_MAX_BODY"
    with pytest.raises(UsageError) as caught:
        load(None, {}, {"max_body": (value, "--max-body")})
    assert caught.value.where == "--max-body"


@pytest.mark.parametrize("name", ["nowhere.yml", "."])
def test_a_file_that_cant_be_read_is_named(tmp_path: Path, name: str) -> None:
    problem = problem_of(tmp_path / name)
    assert problem.location.file == str(tmp_path / name)
    assert "can't read it" in problem.message


def test_an_empty_file_and_empty_sections_set_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {}, {}).origins == {}
    assert load(written(tmp_path, "# nothing\nslack:\nheartbeat: {}\nrules:"), {}, {}).origins == {}


def test_paths_in_a_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    path = written(tmp_path, "rules: rules\ndata: /var/lib/sre-obs\nslack: {token_file: t}")
    settings = load(path, {}, {}).settings
    assert settings.rules == tmp_path / "rules"
    assert settings.data == Path("/var/lib/sre-obs")
    assert settings.slack.token_file == tmp_path / "t"
    assert load(written(tmp_path, "rules: bundled"), {}, {}).settings.rules == Path("bundled")


def test_a_secret_is_read_from_its_file_without_the_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    assert secret(None, path, "token").reveal() == "abc"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secret_file_that_gives_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"slack\.token") as caught:
        secret(None, path, "slack.token")
    assert str(path) in caught.value.where


def test_no_error_is_anything_but_ours(tmp_path: Path) -> None:
    for text in ("a: &x [*x]", "? [a]\n: b", "!!python/object:os.system {}", "\t- a", "a: \x01"):
        with pytest.raises(SreObsError):
            load(written(tmp_path, text), {}, {})


def test_every_setting_says_what_it_is_in_one_line() -> None:
    for key in describe():
        assert key.help, key.path
        assert re.fullmatch(r"[^\n|]{5,100}", key.help), key.path
