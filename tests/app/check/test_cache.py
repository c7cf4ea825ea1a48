"""The cache of a check: the same findings for less, whatever became of its file."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from sre_obs.app.usecases.check import cache as module
from sre_obs.app.usecases.check.cache import Cache, cache_folder
from sre_obs.app.usecases.check.run import Report, check
from tests.app.check.folder import look, well, write
from tests.content.checks.looking import rule


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    well(folder, "shop/a")
    well(folder, "shop/b")
    write(folder, {"shop/c.yml": rule("query: 'a.b: 1'"), "shop/d.yml": "title: [\n"})
    kept = rule("# sre-obs: ignore rules/unknown-field: soon", "query: 'a.b: 1'")
    write(folder, {"shop/e.yml": kept})
    return folder


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read as rules from now on."""
    from sre_obs.app.usecases.check import rule as checked

    seen: list[str] = []
    real = checked.check_rule_text

    def counted(data: bytes, path: Path, *args: object, **kwargs: object) -> object:
        seen.append(path.name)
        return real(data, path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(checked, "check_rule_text", counted)
    return seen


def test_a_second_run_finds_the_same_and_reads_no_rule(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(rules, cache=Cache(tmp_path / "cache"))
    assert first.findings
    seen = looked_at(monkeypatch)
    assert look(rules, cache=Cache(tmp_path / "cache")) == first
    assert seen == []


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"shop/a.yml": rule("query: 'host.name: y'")}, ["a.yml"]),
        ({"shop/c.test.yml": "cases: []\n"}, ["c.yml"]),
        (
            {"telemetry/x.yml": "pack: x\nstreams: {}\n"},
            ["a.yml", "b.yml", "c.yml", "d.yml", "e.yml"],
        ),
    ],
)
def test_what_has_changed_is_looked_at_again(
    rules: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    read: list[str],
) -> None:
    look(rules, cache=Cache(tmp_path / "cache"))
    seen = looked_at(monkeypatch)
    write(rules, dict(change))
    cached = look(rules, cache=Cache(tmp_path / "cache"))
    assert seen == read
    assert cached == look(rules)


def test_other_indices_allowed_are_other_findings(rules: Path, tmp_path: Path) -> None:
    look(rules, cache=Cache(tmp_path / "cache"))
    strict = check([rules], allow=("logs-*",), cache=Cache(tmp_path / "cache"))
    assert "rules/index-not-allowed" in {p.slug for p in strict.findings}


def test_a_file_of_the_same_content_in_another_place_is_told_by_its_own_name(
    rules: Path, tmp_path: Path
) -> None:
    look(rules, cache=Cache(tmp_path / "cache"))
    moved = rules.rename(tmp_path / "others")
    report = look(moved, cache=Cache(tmp_path / "cache"))
    assert report == look(moved)
    assert all(p.location.file.startswith(str(moved)) for p in report.findings)


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'{"a": 1}', b"\xff\xfe", b'{"a": [[["x"]], 5, {}, [], []]}'],
)
def test_a_damaged_cache_is_as_none(rules: Path, tmp_path: Path, data: bytes) -> None:
    first = look(rules, cache=Cache(tmp_path / "cache"))
    only_file(tmp_path / "cache").write_bytes(data)
    assert look(rules, cache=Cache(tmp_path / "cache")) == first
    assert look(rules, cache=Cache(tmp_path / "cache")) == first


def test_a_cache_with_any_bytes_turned_never_breaks_a_check(rules: Path, tmp_path: Path) -> None:
    look(rules, cache=Cache(tmp_path / "cache"))
    path = only_file(tmp_path / "cache")
    good = path.read_bytes()
    dice = random.Random(1)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 5)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        path.write_bytes(bytes(bad))
        assert isinstance(look(rules, cache=Cache(tmp_path / "cache")), Report)


def test_a_folder_that_can_not_be_written_is_no_reason_to_fail(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert look(rules, cache=Cache(tmp_path / "file" / "below")) == look(rules)


def test_runs_at_once_leave_one_good_file(rules: Path, tmp_path: Path) -> None:
    def run() -> None:
        look(rules, cache=Cache(tmp_path / "cache"))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_file(tmp_path / "cache").suffix == ".json"
    assert look(rules, cache=Cache(tmp_path / "cache")) == look(rules)


def test_the_cache_stays_small(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 6)
    for number in range(12):
        write(rules, {"shop/a.yml": rule(f"query: 'host.name: x{number}'")})
        look(rules, cache=Cache(tmp_path / "cache"))
        check([rules], allow=(f"logs-{number}-*",), cache=Cache(tmp_path / "cache"))
    import orjson

    files = list((tmp_path / "cache").iterdir())
    assert len(files) == module.MOST_FILES
    assert all(len(orjson.loads(path.read_bytes())) <= 6 for path in files)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, Path("/c/sre-obs")),
        ({"HOME": "/h"}, Path("/h/.cache/sre-obs")),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, Path("/h/.cache/sre-obs")),
        ({}, None),
    ],
)
def test_the_cache_is_where_the_user_keeps_such_things(
    environ: dict[str, str], folder: Path | None
) -> None:
    assert cache_folder(environ) == folder
