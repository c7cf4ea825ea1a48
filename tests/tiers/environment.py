"""One Python environment an interpreter, from the hashed lock files.

Two layers. What the lock file names is the same for every checkout and costs half a
minute: a folder of packages, cached by content. The checkout itself is laid over it,
editable, in a thin venv that ends with the run, so that two clones never test each
other's code. The folder's scripts name an interpreter that is gone: everything is run
as ``python -m``.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.parts.cache import cached, content_key
from tests.tiers import NotReady

REPOSITORY = Path(__file__).parents[2]
LOCK = REPOSITORY / "tests" / "requirements.lock"
CLIENT8_LOCK = REPOSITORY / "tests" / "requirements-client8.lock"


def make_environment(interpreter: Path, version: str, folder: Path) -> Path:
    """The Python of a thin venv in ``folder`` with the locked packages and the checkout.

    Raises NotReady when something cannot be installed.
    """
    locked = cached(
        f"python{version}-{_key(interpreter, LOCK)}",
        lambda aside: _install_locked(interpreter, LOCK, aside),
        kind="packages",
    )
    _run([interpreter, "-m", "venv", "--without-pip", folder], f"a venv of Python {version}")
    packages = folder / "lib" / f"python{version}" / "site-packages"
    (packages / "locked.pth").write_text(f"{locked}\n", encoding="utf-8")
    python = folder / "bin" / "python"
    pip_install = ("-m", "pip", "install", "--no-deps", "--no-build-isolation", "-e")
    _run([python, *pip_install, REPOSITORY], "the checkout itself")
    return python


def client8_overlay(interpreter: Path) -> Path:
    """A folder that, first on PYTHONPATH, hides the Elasticsearch client behind client 8."""
    return cached(
        f"client8-{_key(interpreter, CLIENT8_LOCK)}",
        lambda aside: _install_locked(interpreter, CLIENT8_LOCK, aside),
        kind="packages",
    )


def _key(interpreter: Path, lock: Path) -> str:
    return content_key(str(interpreter), lock.read_text(encoding="utf-8"))


def _install_locked(interpreter: Path, lock: Path, aside: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sre-obs-pip-") as scratch:
        try:
            _run([interpreter, "-m", "venv", scratch], f"a venv of {interpreter}")
        except NotReady as error:
            raise NotReady(f"{error}\n(on Debian the package python3-venv is needed)") from None
        _run(
            [
                *(Path(scratch) / "bin" / "python", "-m", "pip", "install"),
                *("--require-hashes", "--no-deps", "--target", aside, "-r", lock),
            ],
            f"what {lock.name} names",
        )


def _run(command: Sequence[str | Path], what: str) -> None:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotReady(f"could not install {what}:\n{(done.stdout + done.stderr).strip()[-2000:]}")
