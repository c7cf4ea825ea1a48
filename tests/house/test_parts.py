"""A part gets into the cache whole or not at all, and says its name when it cannot."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY
from tests.parts import PartError, elasticsearch, jdk
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
        assert (REPOSITORY / "tests" / "parts" / f"{part.builder}.py").is_file()


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
    with pytest.raises(PartError, match="no part named kibana; there are: elasticsearch"):
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
