"""Annotation templates (Jinja2) rendered in a process that can be killed.

A sandbox keeps a template from reaching things; it does not keep it from computing for an
hour or from building a gigabyte. So templates run in a worker with limits of the operating
system, started when the first one is rendered, started anew when it dies. A job that broke
its bounds is named, the others of its batch are still rendered.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sre_obs.adapters.clock import SystemClock
from sre_obs.model.errors import TemplateError

_WORKER = Path(__file__).with_name("template_worker.py")
_SHORTER = "make the template shorter and simpler"


@dataclass(frozen=True, slots=True)
class Limits:
    """What templates may use. Times in seconds, sizes in bytes or characters."""

    cpu: float = 0.5  # computing time of one job
    wall: float = 5.0  # waiting for one job's answer, as the machine may be busy
    batch: float = 15.0  # waiting for all jobs of one call
    memory: int = 128 * 1024 * 1024  # the worker's address space, its own 30 MiB included
    output: int = 8_000  # characters of one result
    source: int = 16_000  # characters of one template
    job: int = 384 * 1024  # bytes of one template and its variables as JSON
    cached: int = 1_024  # results kept


Job = tuple[str, Mapping[str, Any]]


class BoundedRenderer:
    """The port `Renderer` of `evaluate`. Thread-safe; batches are rendered one by one."""

    def __init__(
        self, limits: Limits | None = None, *, timer: Callable[[], float] | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._timer = timer or SystemClock().timer
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cache: OrderedDict[bytes, str | TemplateError] = OrderedDict()

    def render(self, jobs: Sequence[Job]) -> list[str | TemplateError]:
        """One text or error for each (template, variables), in order. Blocks for no
        longer than `Limits.batch` and one `Limits.wall`."""
        answers: dict[int, str | TemplateError] = {}
        waiting: list[_Waiting] = []
        for number, (text, variables) in enumerate(jobs):
            if (quick := self._without_worker(text)) is not None:
                answers[number] = quick
                continue
            data = json.dumps([text, variables], default=str, sort_keys=True).encode()
            if len(data) > self._limits.job:
                answers[number] = TemplateError("its alert holds too much text to render it")
                continue
            waiting.append(_Waiting(number, text, data))
        if waiting:
            with self._lock:
                answers |= self._batch(waiting)
        return [answers[number] for number in range(len(jobs))]

    def close(self) -> None:
        """End the worker, if there is one. A later `render` starts another."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        worker = self._worker
        return worker.process.pid if worker else None

    def _without_worker(self, text: str) -> str | TemplateError | None:
        if len(text) > self._limits.source:
            return TemplateError(
                f"it is longer than {self._limits.source:,} characters", remedy=_SHORTER
            )
        if "{{" in text or "{%" in text or "{#" in text:
            return None
        if len(text) > self._limits.output:
            return TemplateError(
                f"it gives more than {self._limits.output:,} characters", remedy=_SHORTER
            )
        return text

    def _batch(self, waiting: list[_Waiting]) -> dict[int, str | TemplateError]:
        answers: dict[int, str | TemplateError] = {}
        until = self._timer() + self._limits.batch
        left = []
        for job in waiting:
            if job.key in self._cache:
                self._cache.move_to_end(job.key)
                answers[job.number] = self._cache[job.key]
            else:
                left.append(job)
        broken: dict[str, TemplateError] = {}  # templates that ended a worker in this batch
        while left:
            job = left[0]
            if job.text in broken:
                answers[job.number] = broken[job.text]
                del left[0]
                continue
            if self._timer() >= until:
                late = TemplateError(
                    f"it was not rendered: all of its batch took more than {self._limits.batch:g} s"
                )
                answers |= dict.fromkeys((j.number for j in left), late)
                break
            chunk = list(_chunk(left, broken))
            done, guilt = self._chunk(chunk)
            for job, answer in zip(chunk, done, strict=False):
                answers[job.number] = self._remember(job, answer)
            if guilt is not None:
                guilty = chunk[len(done)]
                broken[guilty.text] = answers[guilty.number] = guilt
            left = [j for j in left if j.number not in answers]
        return answers

    def _chunk(
        self, chunk: list[_Waiting]
    ) -> tuple[list[str | TemplateError], TemplateError | None]:
        """The answers of the first jobs, and why the next one broke the worker, if it did."""
        done: list[str | TemplateError] = []
        try:
            worker = self._running()
            worker.send(b"[" + b",".join(j.data for j in chunk) + b"]\n", self._limits.wall)
            for _ in chunk:
                done.append(_parsed(worker.receive(self._limits.wall)))
        except _Died as death:
            return done, self._blame(death)
        except OSError as error:
            self._end()
            return done, TemplateError(
                f"templates can't be rendered: no process could be started ({error.strerror})"
            )
        return done, None

    def _running(self) -> _Worker:
        if self._worker is not None and self._worker.process.poll() is not None:
            self._end()  # ended from outside, between two batches
        if self._worker is None:
            self._worker = _Worker(self._limits, self._timer)
        return self._worker

    def _blame(self, death: _Died) -> TemplateError:
        code = self._end(kill=death.late)
        if code == -signal.SIGPROF:
            return TemplateError(
                f"it takes more than {self._limits.cpu:g} s to compute", remedy=_SHORTER
            )
        if death.late:
            return TemplateError(f"no answer within {self._limits.wall:g} s", remedy=_SHORTER)
        return TemplateError("rendering it ended the process that renders", remedy=_SHORTER)

    def _end(self, *, kill: bool = False) -> int:
        worker, self._worker = self._worker, None
        return worker.end(kill=kill) if worker else 0

    def _remember(self, job: _Waiting, answer: str | TemplateError) -> str | TemplateError:
        self._cache[job.key] = answer
        if len(self._cache) > self._limits.cached:
            self._cache.popitem(last=False)
        return answer


def check_template(text: str, names: Collection[str] = ()) -> TemplateError | None:
    """What is wrong with a template, `where` being its line ("line 2"); None if nothing.

    With `names`, the variables that there will be, any other name is wrong too. The
    template is only parsed, so this needs no worker.
    """
    from sre_obs.adapters import template_worker

    longest = Limits().source
    if len(text) > longest:
        return TemplateError(f"it is longer than {longest:,} characters", remedy=_SHORTER)
    found = template_worker.check(text, names)
    return TemplateError(found[0], where=f"line {found[1]}") if found else None


class _Waiting:
    """A job that needs the worker: its place in the call, and its bytes."""

    __slots__ = ("data", "key", "number", "text")

    def __init__(self, number: int, text: str, data: bytes) -> None:
        self.number = number
        self.text = text
        self.data = data
        self.key = blake2b(data, digest_size=16).digest()


_PIPE = 48 * 1024  # below what a pipe takes without a reader


def _chunk(left: Sequence[_Waiting], broken: Mapping[str, TemplateError]) -> Iterator[_Waiting]:
    """Jobs that fit into the pipe together, so that the worker may write its first answers
    before we read: at least one, and none that would end the worker again."""
    size = 0
    for job in left:
        size += len(job.data)
        if job.text in broken or (size > _PIPE and size != len(job.data)):
            return
        yield job


def _parsed(line: bytes) -> str | TemplateError:
    answer = json.loads(line)
    if "text" in answer:
        return str(answer["text"])
    where = f"line {answer['line']}" if answer["line"] else ""
    return TemplateError(answer["error"], where=where)


class _Died(Exception):
    """The worker gave no answer; `late` if it still runs."""

    def __init__(self, late: bool) -> None:
        super().__init__()
        self.late = late


class _Worker:
    """The process and its pipes. Raises OSError if it can't be started."""

    _START = 20.0  # seconds to import jinja2 on a busy machine

    def __init__(self, limits: Limits, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._buffer = b""
        self._longest = limits.output * 12 + 4_096  # JSON takes at most 12 bytes a character
        asked = {
            "cpu": limits.cpu,
            "memory": limits.memory,
            "output": limits.output,
            # Isolated from the environment and the working directory, it might not find
            # what was installed there.
            "path": sorted({_folder("jinja2"), _folder("markupsafe")}),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", str(_WORKER), json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"},
            start_new_session=True,  # a Ctrl-C is for us
            bufsize=0,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        os.set_blocking(self._in.fileno(), False)
        try:
            self.receive(self._START)
        except _Died:
            self.end(kill=True)
            raise OSError(0, "the worker did not come up") from None

    def send(self, data: bytes, seconds: float) -> None:
        """Write all of it. Raises _Died."""
        view, until = memoryview(data), self._timer() + seconds
        while view:
            self._ready(self._in.fileno(), select.POLLOUT, until)
            try:
                view = view[os.write(self._in.fileno(), view) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _Died(late=False) from None

    def receive(self, seconds: float) -> bytes:
        """The next line. Raises _Died."""
        until = self._timer() + seconds
        while b"\n" not in self._buffer:
            if len(self._buffer) > self._longest:
                raise _Died(late=True)
            self._ready(self._out.fileno(), select.POLLIN, until)
            data = os.read(self._out.fileno(), 65_536)
            if not data:
                raise _Died(late=False)
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _ready(self, descriptor: int, event: int, until: float) -> None:
        poll = select.poll()  # select() fails for descriptors above 1,023
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, until - self._timer()) * 1000):
            raise _Died(late=True)

    def end(self, *, kill: bool = False) -> int:
        """Close its input, on which it ends, or kill it; its exit code."""
        self._in.close()
        if kill:
            self.process.kill()
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._out.close()
        return code


def _folder(package: str) -> str:
    """Where a package is installed, found without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise OSError(0, f"{package} is not installed")
    return str(Path(spec.origin).parents[1])
