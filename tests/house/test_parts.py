"""A part gets into the cache whole or not at all, and says its name when it cannot."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from tests.parts import PartError, elasticsearch, golang, jdk
from tests.parts.cache import cached, check_sha256
from tests.parts.lockfile import Part, find_part, read_parts

SPAWN = multiprocessing.get_context("fork")
SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def die_half_way(root: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("half", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)

    cached("part", build, root=root)


def build_and_count(root: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "whole").write_text("whole", encoding="utf-8")
        with (root / "builds").open("a") as count:
            count.write("x")

    cached("part", build, root=root)


def test_what_a_killed_build_left_is_never_seen_and_is_swept(tmp_path: Path) -> None:
    killed = SPAWN.Process(target=die_half_way, args=(tmp_path,))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert not (tmp_path / "parts" / "part").exists()

    def build(folder: Path) -> None:
        (folder / "whole").write_text("whole", encoding="utf-8")

    part = cached("part", build, root=tmp_path)
    assert [path.name for path in part.iterdir()] == ["whole"]
    assert not list((tmp_path / "parts").glob("*.tmp-*"))


def test_of_several_processes_one_builds(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=build_and_count, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "builds").read_text(encoding="utf-8") == "x"


def test_a_build_that_fails_leaves_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half", encoding="utf-8")
        raise PartError("no")

    with pytest.raises(PartError):
        cached("part", fail, root=tmp_path)
    build_and_count(tmp_path)
    assert (tmp_path / "parts" / "part" / "whole").is_file()


def test_an_archive_that_is_not_the_locked_one_is_refused_by_name(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"")
    check_sha256(archive, SHA256_OF_NOTHING, "a-part")
    archive.write_bytes(b"other")
    with pytest.raises(PartError, match=r"a-part: the archive archive\.zip has sha256"):
        check_sha256(archive, SHA256_OF_NOTHING, "a-part")


def test_every_part_has_a_builder() -> None:
    for part in read_parts().values():
        assert callable(importlib.import_module(f"tests.parts.{part.builder}").install)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("one two", "five columns wanted, 2 found"),
        (f"a 1 {'g' * 64} b 3", "a: not a sha256"),
        (f"a 1 {'0' * 64} b 3\na 1 {'0' * 64} b 3", "parts.lock:2: a is there twice"),
    ],
)
def test_a_malformed_lock_line_is_refused_with_its_place(
    tmp_path: Path, line: str, said: str
) -> None:
    lock = tmp_path / "parts.lock"
    lock.write_text(line, encoding="utf-8")
    with pytest.raises(PartError, match=said):
        read_parts(lock)


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        PartError, match="no part named kibana; there are: elasticsearch, kubernetes"
    ):
        find_part("kibana")


def test_without_a_new_enough_jdk_the_error_names_the_part_and_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "jdk"
    (old / "bin").mkdir(parents=True)
    (old / "bin" / "javac").touch()
    (old / "release").write_text('JAVA_VERSION="17.0.15"\n', encoding="utf-8")
    monkeypatch.setenv("JAVA_HOME", str(old))
    with pytest.raises(PartError, match=r"a-part needs a JDK 99 or newer; found: .*17 in "):
        jdk.find_jdk("a-part", 99)


def test_java_home_wins_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "javac").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="21.0.1"\n', encoding="utf-8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert jdk.find_jdk("a-part") == tmp_path


def test_without_maven_the_error_names_the_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    part = Part("elasticsearch", "0", SHA256_OF_NOTHING, "elasticsearch", 1)
    with pytest.raises(PartError, match="elasticsearch comes through Maven"):
        elasticsearch.install(part)


GO_PART = Part("a-part", "0", SHA256_OF_NOTHING, "kubernetes", 1)


@pytest.fixture
def go_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of nothing, with the go.sum that GO_PART names, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.sum").touch()
    return module


def put_go(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `go` on PATH that only says which version it is."""
    command = folder / "go"
    command.write_text(f"#!/bin/sh\necho {version}\n", encoding="ascii")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_go_the_error_names_the_part_and_what_to_install(
    go_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartError, match=r"a-part is built by Go.*install Go 1\.26 or newer"):
        golang.build(GO_PART, golang.Program(go_module, "."))


@pytest.mark.parametrize("version", ["go1.25.9", "go1.9", "devel", ""])
def test_a_go_that_is_too_old_is_refused_with_its_version(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go(tmp_path, version, monkeypatch)
    with pytest.raises(PartError, match=rf"a-part needs Go 1\.26 or newer; .* is {version}"):
        golang.find_go("a-part")


@pytest.mark.parametrize("version", ["go1.26.0", "go1.27rc1", "go2.0"])
def test_a_go_that_is_new_enough_is_used(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go(tmp_path, version, monkeypatch)
    assert golang.find_go("a-part") == str(tmp_path / "go")


def test_a_go_sum_that_is_not_the_locked_one_is_refused_before_anything_is_built(
    go_module: Path,
) -> None:
    (go_module / "go.sum").write_text("other", encoding="ascii")
    with pytest.raises(PartError, match=r"a-part: its go\.sum has sha256"):
        golang.build(GO_PART, golang.Program(go_module, "."))
