"""What a start costs: `--help` in bare interpreters, and `run` until it is ready.

Bytecode is compiled beforehand, as an installed package has it. Each is started some times,
in turns with ``python -c pass``, and the lower quartile counts: a start can only be slower
than it needs to be. Goal: `--help` at most 12 times bare Python.
At the end, what `run` imports and how long each package of it takes by itself
(``-X importtime``, which makes all of it slower).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.bench.servers import Ours, resident, routes
from tests.bench.table import folder, heading, options, percentile, row

PYTHON = sys.executable
CLI = (PYTHON, "-m", "sre_obs.app.cli")
COMMANDS = {
    "python -c pass": (PYTHON, "-c", "pass"),
    "python -c 'import click'": (PYTHON, "-c", "import click"),
    "sre-obs --help": (*CLI, "--help"),
    "sre-obs run --help": (*CLI, "run", "--help"),
    "sre-obs silence --help": (*CLI, "silence", "--help"),
}


def seconds(command: Sequence[str]) -> float:
    """One run of it."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


class Timed(Ours):
    """`run` as a router without rules; with `imports` it says what each import takes."""

    def __init__(self, folder: Path, *, imports: bool = False) -> None:
        super().__init__(folder, routes("http://127.0.0.1:9/", group_by="pod", group_wait="1h"))
        if imports:
            self._arguments[1:1] = ("-X", "importtime")


def ready() -> tuple[float, float]:
    """Seconds until `run` is ready; MiB resident then."""
    with folder() as made:
        daemon = Timed(made)
        began = time.perf_counter()
        with daemon:
            return time.perf_counter() - began, resident(daemon.pid)


def imports(count: int) -> list[tuple[str, float]]:
    """The packages whose modules take longest to import until `run` is ready, in ms."""
    with folder() as made, Timed(made, imports=True) as daemon:
        told = list(daemon.log)
    took: Counter[str] = Counter()
    for line in told:
        own, _, name = line.removeprefix("import time:").rpartition("|")
        if own.split("|")[0].strip().isdigit():
            took[name.strip().partition(".")[0]] += int(own.split("|")[0])
    return [(name, micros / 1e3) for name, micros in took.most_common(count)]


def main() -> None:
    chosen = options(__doc__)
    rounds = 3 if chosen.quick else 15
    with folder() as bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(bytecode)
        for command in COMMANDS.values():
            seconds(command)
        ready()
        compare(rounds)


def compare(rounds: int) -> None:
    """Print the tables."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    heading("milliseconds", "", "lower quartile", "of bare")
    bare = percentile(taken["python -c pass"], 0.25)
    for name, values in taken.items():
        row(name, percentile(values, 0.25) * 1e3, percentile(values, 0.25) / bare)
    starts = [ready() for _ in range(rounds)]
    quick = percentile([took for took, _ in starts], 0.25)
    row("sre-obs run, until ready", quick * 1e3, quick / bare)
    row("its resident memory then, MiB", starts[-1][1])
    heading("own import time of `run`", "package", "ms")
    for package, millis in imports(12):
        row(package, millis)


if __name__ == "__main__":
    main()
