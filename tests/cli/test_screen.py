"""Colour, width, foreign text, and everything that must not end in a stack."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
from itertools import pairwise
from pathlib import Path

import pytest

from sre_obs.app.cli.errors import excerpt, printable
from sre_obs.app.cli.screen import Screen, coloured
from tests.cli.typed import environment, type_here, type_there

COMMAND = [sys.executable, "-m", "sre_obs.app.cli"]


@pytest.mark.parametrize(
    ("when", "environ", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_flag_goes_before_no_color_before_force_color_before_the_terminal(
    when: str, environ: dict[str, str], terminal: bool, expected: bool
) -> None:
    assert coloured(when, environ, terminal) is expected


@pytest.mark.parametrize(
    ("arguments", "as_json", "debug"),
    [
        (["demo", "-o", "json"], True, False),
        (["demo", "--output=json", "--debug"], True, True),
        (["demo", "-ojson"], True, False),
        (["demo", "--output", "json", "--output", "text"], False, False),
        (["silence", "add", "--", "--output", "json"], False, False),
        (["demo", "--output"], False, False),
        ([], False, False),
    ],
)
def test_how_to_print_is_read_from_arguments_that_may_be_wrong(
    arguments: list[str], as_json: bool, debug: bool
) -> None:
    screen = Screen.of(arguments, {})
    assert (screen.as_json, screen.debug) == (as_json, debug)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_colour_falls_on_words_alone_and_says_nothing_new(tmp_path: Path, place: str) -> None:
    (tmp_path / "s.yml").write_text("lisen: x\n")
    line = "config show --config s.yml"
    plain = type_here(f"sre-obs {line}", tmp_path)
    coloured_line = f"--color always {line}" if place == "before" else f"{line} --color=always"
    done = type_here(f"sre-obs {coloured_line}", tmp_path)
    assert "\x1b[31merror\x1b[0m" in done.err
    assert done.err.replace("\x1b[31m", "").replace("\x1b[0m", "") == plain.err


def test_json_is_never_coloured() -> None:
    done = type_here("sre-obs --color always config show -o json")
    assert json.loads(done.out)


def in_a_terminal(arguments: list[str], folder: Path, columns: int, **environ: str) -> str:
    """What a terminal of that width gets from a command."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in environment(**environ).items() if k != "COLUMNS"}
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        got = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # its end is closed
                break
            if not piece:
                break
            got += piece
        process.wait(60)
    os.close(ours)
    return got.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_long_source_cut_round_the_caret(tmp_path: Path) -> None:
    name = "x" * 300
    (tmp_path / "routes.yml").write_text(
        f"route: {{receiver: {name}, group_by: here, group_wait: 5s, repeat_interval: 4h}}\n"
        f"receivers: [{{name: {name}}}]\n"
    )
    arguments = ["routes", "show", "--routes", "routes.yml"]
    shown = in_a_terminal(arguments, tmp_path, 70, TERM="xterm")
    assert "\x1b[31merror\x1b[0m" in shown
    lines = [line for line in shown.splitlines() if " | " in line]
    assert max(map(len, lines)) <= 70
    source, carets = next(two for two in pairwise(lines) if "here" in two[0])
    assert source.index("here") == carets.index("^^^^")
    piped = type_there(f"sre-obs {' '.join(arguments)}", tmp_path)
    assert name in piped.err


@pytest.mark.parametrize(
    ("line", "start", "length", "room", "expected"),
    [
        ("key: value", 5, 5, None, ("key: value", "     ^^^^^")),
        ("名前: value", 4, 5, None, ("名前: value", "      ^^^^^")),
        ("a\tb", 2, 1, None, ("a b", "  ^")),
        ("a\x1b[2Jb", 5, 1, None, ("a\\x1b[2Jb", "        ^")),
        ("e\u0301: x", 4, 1, None, ("e\u0301: x", "   ^")),
        ("abcdefghij", 9, 1, 6, ("…ghij", "    ^")),
        ("abcdefghij", 0, 1, 6, ("abcd…", "^")),
        ("abcdefghij", 5, 9, 8, ("…cdefgh…", "    ^^^")),
        ("", 0, 1, 10, ("", "^")),
        ("abc", 3, 1, None, ("abc", "   ^")),
    ],
)
def test_a_caret_stands_under_its_character_in_display_cells(
    line: str, start: int, length: int, room: int | None, expected: tuple[str, str]
) -> None:
    assert excerpt(line, start, length, room) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ü 名 €", "ü 名 €"),
        ("a\x1b]0;x\x07", "a\\x1b]0;x\\x07"),
        ("\u202eabc", "\\u202eabc"),
        ("a\r\n::error::b", "a\\r\\n::error::b"),
        ("\ud800", "\\ud800"),
        ("it's \\ fine", "it's \\ fine"),
    ],
)
def test_foreign_text_cant_steer_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_terminal_that_lacks_characters_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text("grōẞe: 1\n")
    done = type_there(
        "sre-obs config show --config s.yml", tmp_path, {"PYTHONIOENCODING": "latin-1:strict"}
    )
    assert done.code == 1
    assert "gr\\u014d\\u1e9ee: no such setting" in done.err


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_ends_it_without_a_word(tmp_path: Path, stream: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    other = "stderr" if stream == "stdout" else "stdout"
    line = "config describe" if stream == "stdout" else "config show --set a=b"
    streams = {stream: writing, other: subprocess.PIPE}
    done = subprocess.run(
        [*COMMAND, *line.split()], cwd=tmp_path, env=environment(), text=True, **streams
    )
    os.close(writing)
    assert done.returncode == 141
    assert not getattr(done, other)


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_closed_stream_is_no_bug(tmp_path: Path, stream: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {stream}>&-', "sh", *COMMAND, "config", "show"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert (stream == 1) is not ("listen" in done.stdout)


def test_ctrl_c_while_a_command_waits_says_stopped(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with subprocess.Popen(
            # Whoever runs the tests in the background has told them to ignore it.
            ["env", "--default-signal=INT", *COMMAND, "silence", "query", "--url", url],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            connection, _ = deaf.accept()
            with connection:
                connection.recv(1)  # it has asked, and waits for the answer
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "stopped\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_bug_is_told_without_its_stack_or_what_it_held(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    import sre_obs.app.cli.config as config

    def broken() -> None:
        raise KeyError("xoxb-canary")

    monkeypatch.setattr(config, "describe", broken)
    done = type_here(f"sre-obs config describe -o {form}")
    assert done.code == 1
    assert "canary" not in done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert "sre_obs.app.cli.config:" in (done.err if form == "text" else done.out)
    if form == "json":
        assert set(json.loads(done.out)["error"]) == {"slug", "message", "where", "remedy"}
    with pytest.raises(KeyError):
        type_here("sre-obs --debug config describe")


def test_help_of_every_command_has_an_example_and_says_what_each_option_does() -> None:
    import click

    from sre_obs.app.cli import root

    seen = 0

    def walk(command: click.Command, path: list[str]) -> None:
        nonlocal seen
        seen += 1
        name = " ".join(path)
        assert f"  sre-obs {' '.join(path[1:])}".rstrip() in (command.epilog or ""), name
        assert command.help, name
        for param in command.params:
            if isinstance(param, click.Option):
                assert param.help, f"{name} {param.opts}"
        if isinstance(command, click.Group):
            context = click.Context(command)
            for sub in command.list_commands(context):
                found = command.get_command(context, sub)
                assert found is not None
                walk(found, [*path, sub])

    walk(root, ["sre-obs"])
    assert seen > 10


def test_help_imports_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom sre_obs.app.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print('loaded', sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.rpartition("loaded ")[2]
    for name in ("pydantic", "yaml", "starlette", "sqlalchemy", "elasticsearch", "rich", "asyncio"):
        assert f"'{name}'" not in loaded, name


def test_a_file_that_cant_be_read_is_told_by_whoever_runs_it(tmp_path: Path) -> None:
    (tmp_path / "routes.yml").symlink_to("routes.yml")
    done = type_here("sre-obs routes show --routes routes.yml", tmp_path)
    assert done.code == 1
    assert "routes.yml:1:1: error: can't read it: Too many levels" in done.err


def test_a_shell_can_ask_for_completions(tmp_path: Path) -> None:
    environ = {"_SRE_OBS_COMPLETE": "bash_complete", "COMP_WORDS": "sre-obs al", "COMP_CWORD": "1"}
    assert type_there("sre-obs", tmp_path, environ).out == "plain,alert-test\n"
