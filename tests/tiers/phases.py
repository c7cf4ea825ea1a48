"""What the test command runs, phase by phase, and what each phase needs first."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.tiers.environment import REPOSITORY

PURE = "not server and not browser and not crash"
SERVER = "server and not browser and not crash"
OLDER_CLIENT = f"{SERVER} and not kubernetes"  # it is Elasticsearch's
CRASH_AND_BROWSER = "crash or browser"

# Typed as strictly as the package; the tests of the other rooms are free in this.
MACHINERY = ("-p", "tests.parts", "-p", "tests.tiers", "-p", "tests.house")

NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True, slots=True)
class Phase:
    """One line of the summary.

    ``version`` is the interpreter's, ``marker`` selects the tests (none: the linters run),
    ``goal`` is what the phase should stay under and ``limit`` when it is ended, both in
    seconds on two cores. Even if every phase hangs, the summary comes within 90 minutes.
    """

    name: str
    version: str
    marker: str | None
    goal: float
    limit: float
    needs_elasticsearch: bool = False
    needs_kubernetes: bool = False
    needs_debian: bool = False
    client8: bool = False


def all_phases(main: str, others: Sequence[str]) -> list[Phase]:
    """Every phase in the order in which it runs: what fails soonest comes first."""
    return [
        Phase("lint", main, None, 60, 300),
        Phase("pure", main, PURE, 240, 660),
        Phase(
            *("servers", main, SERVER, 360, 720),
            needs_elasticsearch=True,
            needs_kubernetes=True,
        ),
        Phase("client-8", main, OLDER_CLIENT, 360, 720, needs_elasticsearch=True, client8=True),
        Phase(
            *("crash-and-browser", main, CRASH_AND_BROWSER, 360, 900),
            needs_elasticsearch=True,
            needs_kubernetes=True,
            needs_debian=True,
        ),
        *(Phase(f"python-{version}", version, PURE, 240, 660) for version in others),
    ]


@dataclass(slots=True)
class Ran:
    """What became of a phase.

    ``junit`` is there when pytest came to its end; ``note`` says why a phase did not run
    that need not run here.
    """

    name: str
    seconds: float = 0.0
    goal: float = 0.0
    failures: list[str] = field(default_factory=list)
    junit: Path | None = None
    note: str = ""


def run_lint(python: Path, limit: float) -> list[str]:
    """Runs every linter even when one fails; returns a line for each that did."""
    lint_imports = "from importlinter.cli import lint_imports_command as run; run()"
    commands = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "mypy of the test machinery": ["-m", "mypy", *MACHINERY],
        "lint-imports": ["-c", lint_imports],
    }
    failures = []
    for name, command in commands.items():
        print(f"-- {name}", flush=True)
        code = run_group([str(python), *command], {}, limit)
        if code != 0:
            failures.append(f"{name} {_ending(code, limit)}")
    return failures


def run_pytest(
    python: Path, phase: Phase, arguments: Sequence[str], *, junit: Path, extra: Mapping[str, str]
) -> list[str]:
    """Runs the phase's tests; returns a line for each reason why the phase failed."""
    assert phase.marker is not None
    command = [
        *(str(python), "-m", "pytest", "-n", "2", "-m", phase.marker),
        # A test that hangs says where, long before the phase is ended.
        *("-o", "faulthandler_timeout=240", f"--junitxml={junit}", *arguments),
    ]
    code = run_group(command, extra, phase.limit)
    if code == 0:
        return []
    if code == NO_TESTS:
        # With arguments of the user's own a phase may well have nothing to run.
        return [] if arguments else [f"no test has the marker expression: {phase.marker}"]
    return [f"pytest {_ending(code, phase.limit)}"]


def run_group(command: Sequence[str], extra: Mapping[str, str], limit: float) -> int | None:
    """Runs the command in a process group of its own; None when it was ended at the limit.

    The group is ended with it, so that what a test left running does not outlive the phase.
    """
    process = subprocess.Popen(
        # Should this process be killed, the kernel ends the phase as well.
        ["setpriv", "--pdeathsig", "KILL", *command],
        cwd=REPOSITORY,
        env=os.environ | dict(extra),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)  # faulthandler prints every thread's stack
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ending(code: int | None, limit: float) -> str:
    if code is None:
        return f"was ended after its limit of {limit:.0f} s"
    return f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
