"""The test command: what it counts, what it calls a failure, how it ends a phase."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY, ended
from tests.tiers import NotReady, debian, interpreters
from tests.tiers.phases import PURE, Phase, Ran, all_phases, run_group, run_pytest
from tests.tiers.report import Count, executed, read_junit, skipped_tests, summary

JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.a" name="test_good" time="0.5"/>
<testcase classname="tests.a" name="test_bad" time="2.5"><failure message="no"/></testcase>
<testcase classname="tests.a" name="test_broken" time="0.1"><error message="no"/></testcase>
<testcase classname="tests.a" name="test_absent" time="0"><skipped type="pytest.skip"/></testcase>
<testcase classname="tests.a" name="test_known" time="0"><skipped type="pytest.xfail"/></testcase>
</testsuite></testsuites>
"""
# No test of ours: the folder is chosen in each test below.
OWN = ["-p", "no:cacheprovider", "--override-ini=addopts=", "--noconftest", "-n", "0"]


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    path = tmp_path / "phase.xml"
    path.write_text(JUNIT, encoding="utf-8")
    return path


def test_errors_count_as_failures_and_skips_are_counted_apart(junit: Path) -> None:
    count, times = read_junit(junit, "pure")
    assert count == Count(passed=1, failed=2, skipped=2)
    assert max(times, key=lambda timed: timed.seconds).name == "tests.a::test_bad"


def test_a_test_that_is_expected_to_fail_was_not_skipped(junit: Path) -> None:
    assert skipped_tests(junit) == ["tests.a::test_absent"]


def test_the_summary_ends_with_the_closing_line_and_begins_with_the_phases(junit: Path) -> None:
    text = summary(
        [
            Ran("lint", 3.0, 60.0, ["mypy failed with exit code 1"]),
            Ran("pure", 130.0, 120.0, junit=junit),
            Ran("python-3.13", note="not run, since there is no Python 3.13"),
        ]
    )
    assert text.splitlines()[-1] == "1 passed, 2 failed, 2 skipped"
    assert "over its goal" in next(line for line in text.splitlines() if "pure" in line)
    assert "    2.50 s  pure: tests.a::test_bad" in text
    assert "lint: mypy failed with exit code 1" in text
    assert "python-3.13: not run, since there is no Python 3.13" in text


def test_a_phase_whose_pytest_did_not_come_to_its_end_counts_nothing(tmp_path: Path) -> None:
    assert executed([Ran("pure", junit=tmp_path / "never-written.xml")]) == 0


def test_the_tiers_run_every_test_once() -> None:
    markers = {phase.marker for phase in all_phases("3.11", ()) if not phase.client8}
    assert markers == {
        None,
        "not server and not browser and not crash",
        "server and not browser and not crash",
        "crash or browser",
    }


@pytest.mark.parametrize(
    ("test", "arguments", "failures"),
    [
        ("def test_it(): pass", [], []),
        ("def test_it(): assert False", [], ["pytest failed with exit code 1"]),
        ("", [], [f"no test has the marker expression: {PURE}"]),
        ("", ["-v"], []),
    ],
    ids=["passing", "failing", "empty", "empty-by-the-users-choice"],
)
def test_a_phase_fails_when_a_test_does_or_when_it_has_none(
    tmp_path: Path, test: str, arguments: list[str], failures: list[str]
) -> None:
    (tmp_path / "test_it.py").write_text(f"{test}\n", encoding="utf-8")
    wrapper = tmp_path / "python"
    own = " ".join(f"'{argument}'" for argument in [*OWN, str(tmp_path)])
    wrapper.write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\" {own}\n", encoding="utf-8")
    wrapper.chmod(0o755)
    phase = Phase("pure", "3.11", PURE, 1, 60)
    found = run_pytest(wrapper, phase, arguments, junit=tmp_path / "out.xml", extra={})
    assert found == failures


def test_a_phase_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > '{child}'; wait"
    assert run_group(["sh", "-c", script], {}, 0.5) is None
    assert ended(int(child.read_text(encoding="ascii")))


def test_a_missing_interpreter_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    with pytest.raises(NotReady, match=r"no Python 3\.12"):
        interpreters.find_interpreter("3.12")


def test_a_shim_that_runs_another_python_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\necho '3.12 is not selected' >&2; exit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    real = tmp_path / "versions" / "3.12.9" / "bin" / "python3.12"
    real.parent.mkdir(parents=True)
    real.write_text(f"#!/bin/sh\necho 3.12 {real}\n", encoding="utf-8")
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreters.find_interpreter("3.12") == real


def test_missing_debian_packages_are_named_when_they_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady, match="chromium, chromium-driver, strace"):
        debian.install_missing()


def test_ci_and_the_readme_use_the_one_test_command() -> None:
    assert "tests/run" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "tests/run" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    done = subprocess.run(
        ["bash", "tests/run", "--list"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[:3] == ["lint", "pure", "servers"]
