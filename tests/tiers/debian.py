"""What the tests need from Debian itself, installed by name when it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.tiers import NotReady

# command on PATH -> package that brings it
PACKAGES = {
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "strace": "strace",
    "amtool": "prometheus-alertmanager",
}


def install_missing() -> list[str]:
    """Installs the packages whose command is missing and returns their names.

    Needs root or sudo without a password. Raises NotReady with the one line that a person
    can type instead.
    """
    missing = [name for command, name in PACKAGES.items() if shutil.which(command) is None]
    if not missing:
        return []
    by_hand = f"apt-get install {' '.join(missing)}"
    if shutil.which("apt-get") is None:
        raise NotReady(f"missing: {', '.join(missing)}, and there is no apt-get to install them")
    become_root: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise NotReady(f"missing: {', '.join(missing)}; as root: {by_hand}")
        become_root = ["sudo", "-n"]
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        done = subprocess.run(
            [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        # A stale list may still do, so a failing update alone does not end it.
        if done.returncode != 0 and command[0] == "install":
            said = (done.stdout + done.stderr).strip()[-1500:]
            raise NotReady(f"apt-get could not install {', '.join(missing)}:\n{said}")
    still = [name for command, name in PACKAGES.items() if shutil.which(command) is None]
    if still:
        raise NotReady(f"installed, but their commands are not on PATH: {', '.join(still)}")
    return missing
