"""Authorities and certificates for an hour of testing, by the openssl that Debian brings."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.parts import PartError

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of this test's own; its files lie in `folder`."""

    folder: Path
    name: str

    @property
    def certificate(self) -> Path:
        """The PEM file that makes others trust it."""
        return self.folder / f"{self.name}.crt"

    def sign(self, name: str, hosts: str, *, days: int = 2) -> tuple[Path, Path]:
        """Certificate and key of a server, ``<name>.crt`` and ``<name>.key`` beside the CA's.

        ``hosts`` as openssl writes them ("IP:127.0.0.1,DNS:localhost"); with days below 0
        the certificate has expired already.
        """
        return self._sign(name, f"/CN={name}", f"subjectAltName={hosts}", days)

    def sign_client(self, name: str, user: str, group: str = "") -> tuple[Path, Path]:
        """Certificate and key of a client, in files of that name, for a user of that group."""
        subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
        return self._sign(name, subject, "extendedKeyUsage=clientAuth", days=2)

    def _sign(self, name: str, subject: str, extensions: str, days: int) -> tuple[Path, Path]:
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        certificate, extension = self.folder / f"{name}.crt", self.folder / f"{name}.ext"
        extension.write_text(f"{extensions}\n", encoding="ascii")
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", subject)
        _openssl(
            *("x509", "-req", "-in", request, "-out", certificate, "-days", str(days)),
            *("-CA", self.certificate, "-CAkey", self.folder / f"{self.name}.key"),
            *("-CAcreateserial", "-extfile", extension),
        )
        return certificate, key


def make_authority(folder: Path, name: str) -> Authority:
    """A new authority: ``<name>.crt`` and ``<name>.key`` in the folder. Raises PartError."""
    made = Authority(folder, name)
    _openssl(
        *("req", "-x509", *_KEY, "-keyout", folder / f"{name}.key", "-out", made.certificate),
        *("-days", "2", "-subj", f"/CN=sre-obs test authority {name}"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    return made


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(
            ["openssl", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise PartError(
            "certificates are made by openssl, and it is not on PATH: install it"
        ) from None
    if done.returncode != 0:
        raise PartError(f"openssl {arguments[0]} failed:\n{done.stderr.strip()[-1000:]}")
