"""Only regular files are read: the rest may never end, or may never begin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sre_obs.content import yaml
from sre_obs.content.files import read_regular, read_secret
from sre_obs.content.routes.load import load_routes
from sre_obs.content.rules.load import load_rules


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo.yml"
    os.mkfifo(path)
    return path


def test_a_pipe_that_nobody_writes_to_is_a_problem_and_no_wait(fifo: Path) -> None:
    _, (problem,) = yaml.load(fifo)
    assert "not a regular file" in problem.message
    routing, problems = load_routes(fifo)
    assert routing is None
    assert problems[0].location.file == str(fifo)


def test_a_device_without_end_is_no_secret() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        read_secret(Path("/dev/zero"))


def test_a_huge_file_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(ValueError, match="too large"):
        read_secret(path)


def test_no_more_is_read_than_asked_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"abcdef")
    (tmp_path / "link").symlink_to("real")
    assert read_regular(tmp_path / "link", 3) == b"abc"


def test_odd_entries_of_a_rules_folder_are_told_and_the_rest_is_loaded(tmp_path: Path) -> None:
    service = tmp_path / "app"
    service.mkdir()
    (service / "fine.yml").write_text(
        "title: Fine\nkind: query\nindex: logs-*\nquery: 'a: b'\nseverity: info\n"
    )
    (service / "self.yml").symlink_to("self.yml")
    os.mkfifo(service / "pipe.yml")
    loaded = load_rules(tmp_path)
    assert [rule.id for rule in loaded.rules] == ["app/fine"]
    told = {os.path.basename(problem.location.file) for problem in loaded.problems}
    assert told == {"self.yml", "pipe.yml"}
