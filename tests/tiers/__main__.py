"""tests/run: passes all tests, starting what they need.

With arguments for pytest (a path, -k, -x ...) the tiers alone run, on Python 3.11.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.parts import PartError, elasticsearch, kubernetes
from tests.parts.lockfile import find_part
from tests.parts.run import ENVIRONMENT, Run, stop
from tests.tiers import NotReady, debian
from tests.tiers.environment import client8_overlay, make_environment
from tests.tiers.interpreters import MAIN, OTHERS, find_interpreter
from tests.tiers.phases import Phase, Ran, all_phases, run_lint, run_pytest
from tests.tiers.report import executed, skipped_tests, summary

# How much longer than usual a phase may take when seeds and runs are many.
FULL_LIMIT = 10
TIERS = ("pure", "servers", "crash-and-browser")


def main() -> int:
    options, arguments = _parse()
    phases = all_phases(MAIN, OTHERS)
    if options.full:
        phases = [replace(phase, goal=0, limit=phase.limit * FULL_LIMIT) for phase in phases]
    if options.list:
        print("\n".join(phase.name for phase in phases))
        return 0
    wanted = options.only or (TIERS if arguments else [phase.name for phase in phases])
    signal.signal(signal.SIGTERM, _end)
    run = Run.new()
    os.environ[ENVIRONMENT] = str(run)
    if options.full:
        os.environ["SRE_OBS_TEST_FULL"] = "1"
    ran: list[Ran] = []
    with tempfile.TemporaryDirectory(prefix="sre-obs-test-") as scratch:
        try:
            session = Session(Path(scratch), arguments)
            for phase in phases:
                if phase.name in wanted:
                    ran += session.run(phase)
            text, tests = summary(ran), executed(ran)
        finally:
            stop(run)
    print(text, flush=True)
    return 1 if any(one.failures for one in ran) or (not tests and set(wanted) != {"lint"}) else 0


def _parse() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="tests/run",
        description=__doc__,
        usage="%(prog)s [options] [pytest arguments]",
        allow_abbrev=False,
    )
    names = [phase.name for phase in all_phases(MAIN, OTHERS)]
    parser.add_argument("--full", action="store_true", help="long runs and random seeds")
    parser.add_argument("--only", action="append", choices=names, help="this phase; repeatable")
    parser.add_argument("--list", action="store_true", help="name the phases and end")
    return parser.parse_known_args()


class Session:
    """One run of the test command: prepares a thing when the first phase needs it."""

    def __init__(self, scratch: Path, arguments: list[str]) -> None:
        self._scratch = scratch
        self._arguments = arguments

    def run(self, phase: Phase) -> list[Ran]:
        """What the phase needs and then the phase, each timed."""
        ready = Ran(f"{phase.name}: prepare")
        ran = Ran(phase.name, goal=phase.goal)
        print(f"\n== {phase.name}", flush=True)
        began = time.monotonic()
        try:
            python, extra = self._prepare(phase)
        except (NotReady, PartError) as error:
            print(error, flush=True)
            if phase.version in OTHERS and not _strict():
                ran.note = f"not run, since there is {error}"
            else:
                ran.failures.append(str(error))
            return [ran]
        finally:
            ready.seconds = time.monotonic() - began
        began = time.monotonic()
        if phase.marker is None:
            ran.failures += run_lint(python, phase.limit)
        else:
            ran.junit = self._scratch / f"{phase.name}.xml"
            ran.failures += run_pytest(python, phase, self._arguments, junit=ran.junit, extra=extra)
            if _strict() and (skipped := skipped_tests(ran.junit)):
                ran.failures.append(f"skipped, and in CI nothing may be: {', '.join(skipped)}")
        ran.seconds = time.monotonic() - began
        return [ready, ran] if ready.seconds >= 0.5 else [ran]

    def _prepare(self, phase: Phase) -> tuple[Path, dict[str, str]]:
        python = self._python(phase.version)
        if phase.needs_debian:
            self._debian()
        if phase.needs_elasticsearch and "SRE_OBS_TEST_ELASTICSEARCH_URL" not in os.environ:
            elasticsearch.install(find_part("elasticsearch"))
        if phase.needs_kubernetes and "SRE_OBS_TEST_KUBECONFIG" not in os.environ:
            kubernetes.install_all()
        if not phase.client8:
            return python, {}
        overlay = client8_overlay(find_interpreter(phase.version))
        return python, {"PYTHONPATH": str(overlay), "SRE_OBS_TEST_CLIENT_MAJOR": "8"}

    @functools.cache  # noqa: B019 - one session a process
    def _python(self, version: str) -> Path:
        return make_environment(find_interpreter(version), version, self._scratch / version)

    @functools.cache  # noqa: B019
    def _debian(self) -> None:
        for name in debian.install_missing():
            print(f"installed {name}", flush=True)


def _strict() -> bool:
    """Whether every phase must run: on a person's machine an interpreter may be missing."""
    return any(os.environ.get(name) in ("1", "true") for name in ("CI", "SRE_OBS_TEST_STRICT"))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
