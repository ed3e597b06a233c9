"""What the repository promises about itself: its files, its locks, its verbs, its wheel and its containers.

Nothing here needs a network, a container engine or a database.
"""

import json
import os
import re
import runpy
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt")

TOP_LEVEL = {
    ".ci",
    ".dockerignore",
    ".gitignore",
    ".npmrc",
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "benchmarks",
    "docker-compose.yml",
    "docs",
    "migrations",
    "openapi",
    "package-lock.json",
    "package.json",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "service",
    "tests",
}

# What would tie a clone to where it was written: addresses of package registries, and folders of one machine.
FOREIGN = {
    "a registry": re.compile(
        r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|deb\.debian\.org|proxy\.golang\.org|crates\.io)\b"
    ),
    "a machine's folder": re.compile(r"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+|opt/(?:pypi|wheels))(?![\w-])"),
}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file git keeps or would keep, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so which files belong to it is unknown")
    return [path for name in sorted(filter(None, listing.split("\0"))) if (ROOT / (path := Path(name))).is_file()]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


# Files


def test_the_top_level_holds_only_what_belongs_there(tracked: list[Path]) -> None:
    assert {path.parts[0] for path in tracked} - TOP_LEVEL == set()


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names(what: str, tracked: list[Path]) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in tracked
        if b"\0" not in (content := (ROOT / path).read_bytes())
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1)
        if FOREIGN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", [".ci/run", ".ci/prepare", ".ci/prepare-node"])
def test_a_script_of_ours_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    shell = (ROOT / name).read_text().splitlines()[0].split()[-1].removeprefix("#!/bin/")
    assert subprocess.run([shell, "-n", ROOT / name], capture_output=True, check=True).stderr == b""


# Locks


class Pin(NamedTuple):
    requirement: Requirement
    hashes: list[str]


def pins_of(lock: str) -> list[Pin]:
    """The requirements of a lock file, each with the hashes on the lines that continue it."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if not line.lstrip().startswith("#")]
    entries = (re.split(r"\s+--hash=", entry) for entry in "\n".join(lines).replace("\\\n", " ").splitlines())
    return [Pin(Requirement(name), [each.strip() for each in hashes]) for name, *hashes in entries]


def versions_of(lock: str) -> dict[str, str]:
    return {canonicalize_name(pin.requirement.name): str(pin.requirement.specifier)[2:] for pin in pins_of(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_version_and_hash(lock: str) -> None:
    for pin in pins_of(lock):
        assert re.fullmatch(r"==[^*,]+", str(pin.requirement.specifier)), pin
        assert pin.hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes), pin


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_says_nothing_of_where_it_was_made(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    assert lines[1] == "#    make lock"
    assert [
        line for line in lines if line.startswith("-") or "://" in line or re.search(r"(via|-[cr]) \.{0,2}/", line)
    ] == []


@pytest.fixture(scope="module")
def packages() -> dict[str, Any]:
    """The packages of package-lock.json by their folders; that of the project itself is ""."""
    held: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return held


def test_the_lock_of_node_pins_every_package_by_hash_and_says_nothing_of_where_it_was_made(
    packages: dict[str, Any],
) -> None:
    assert [name for name, each in packages.items() if name and not each["integrity"].startswith("sha512-")] == []
    assert [name for name, each in packages.items() if "resolved" in each] == [], "see .npmrc"


def test_the_lock_of_node_answers_package_json(packages: dict[str, Any]) -> None:
    asked = json.loads((ROOT / "package.json").read_text())
    assert packages[""]["devDependencies"] == asked["devDependencies"], "run `make lock`"
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked["devDependencies"]} == asked[
        "devDependencies"
    ], "versions are exact"


def test_the_development_lock_is_a_superset() -> None:
    assert versions_of(LOCKS[0]).items() <= versions_of(LOCKS[1]).items()


def test_the_locks_answer_pyproject(project: dict[str, Any]) -> None:
    groups = project["dependency-groups"]
    runtime = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["embedded"],
        *groups["build"],
    ]
    stale = [
        f"{lock}: {wanted}"
        for lock, asked in zip(LOCKS, (runtime, runtime + groups["dev"]), strict=True)
        for wanted in map(Requirement, asked)
        if not (held := versions_of(lock).get(canonicalize_name(wanted.name)))
        or not wanted.specifier.contains(held, prereleases=True)
    ]
    assert stale == [], "run `make lock`"


def test_the_locked_build_back_end_is_the_one_that_builds(project: dict[str, Any]) -> None:
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]


# Verbs


def test_ci_calls_verbs_that_make_lists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    verbs = set(re.findall(r"^ +make ([a-z]+) ", listed, re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z]+)", (ROOT / ".ci/run").read_text()))
    assert {"serve", "test", "lint", "openapi", "lock"} <= verbs
    assert {"lint", "test"} <= called <= verbs


def test_without_a_python_that_suits_the_set_up_says_what_is_needed() -> None:
    command = ["sh", str(ROOT / ".ci/prepare"), "requirements.txt"]
    refused = subprocess.run(
        command, env=os.environ | {"PYTHON": "no-such-python"}, capture_output=True, check=False, text=True
    )
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "needs Python 3.11" in refused.stderr
    assert "no Python at all" in refused.stderr
    assert "python3-venv" in refused.stderr


def test_an_environment_is_ready_only_for_its_own_lock_and_folder(tmp_path: Path) -> None:
    def set_up_in(folder: Path) -> dict[str, Any]:
        return runpy.run_path(str(folder / ".ci" / "prepare.py"), run_name="prepare")

    first, moved = tmp_path / "first", tmp_path / "moved"
    (first / ".ci").mkdir(parents=True)
    (first / ".ci/prepare.py").write_bytes((ROOT / ".ci/prepare.py").read_bytes())
    (first / ".venv/bin").mkdir(parents=True)
    (first / ".venv/bin/python").symlink_to(sys.executable)
    for name in ("pyproject.toml", *LOCKS):
        (first / name).write_text(name)

    prepare = set_up_in(first)
    assert not prepare["is_ready"](LOCKS[0])
    prepare["stamp_of"](LOCKS[0]).write_text(prepare["fingerprint"](LOCKS[0]))
    assert prepare["is_ready"](LOCKS[0])
    assert not prepare["is_ready"](LOCKS[1])

    first.rename(moved)
    assert not set_up_in(moved)["is_ready"](LOCKS[0])
    moved.rename(first)
    assert prepare["is_ready"](LOCKS[0])
    (first / LOCKS[0]).write_text("another version")
    assert not prepare["is_ready"](LOCKS[0])


# The wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder an installer would unpack our wheel into."""
    pytest.importorskip("hatchling", reason="the build back end comes with `make test`")
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("unpacked")
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *offline, ROOT], check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_the_wheel_holds_every_file_of_the_service_and_the_migrations(installed: Path, tracked: list[Path]) -> None:
    held = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    places = {"service": Path("service"), "migrations": Path("service/_migrations")}
    wanted = {places[path.parts[0]].joinpath(*path.parts[1:]) for path in tracked if path.parts[0] in places}
    assert {path for path in held if not path.parts[0].endswith(".dist-info")} == wanted
    (licence,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert licence.read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_an_installed_service_finds_its_own_migrations(installed: Path) -> None:
    ask = "from service.storage import migrating; print(migrating.MIGRATIONS, migrating.newest())"
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=installed.parent,
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    folder, newest = answer.stdout.split()
    assert Path(folder) == installed / "service/_migrations"
    assert list((installed / "service/_migrations/versions").glob(f"{newest}*.py"))


# Containers


class Instruction(NamedTuple):
    stage: int
    word: str
    rest: str


def dockerfile() -> Iterator[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stage = -1
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        stage += word == "FROM"
        if word:
            yield Instruction(stage, word, rest.strip())


def final_stage(word: str) -> list[str]:
    instructions = list(dockerfile())
    return [each.rest for each in instructions if each.word == word and each.stage == instructions[-1].stage]


def test_the_image_is_built_from_files_that_are_there() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for instruction in dockerfile():
        if instruction.word == "COPY" and not instruction.rest.startswith("--from="):
            for source in instruction.rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_through, f"{source} does not reach the engine: see .dockerignore"


def test_the_image_runs_the_service_as_a_numbered_user() -> None:
    (user,) = final_stage("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert [json.loads(each) for each in final_stage("ENTRYPOINT")] == [["dateline"]]
    assert [json.loads(each) for each in final_stage("CMD")] == [["serve"]]


def health_check() -> list[str]:
    (check,) = final_stage("HEALTHCHECK")
    command: list[str] = json.loads(check[check.index("[") :])
    return command


@pytest.mark.parametrize(("status", "verdict"), [(200, 0), (503, 1)])
def test_the_image_is_healthy_when_the_service_says_so(status: int, verdict: int) -> None:
    asked = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {"DATELINE_PORT": str(server.server_port)}
        python, *arguments = health_check()
        assert python == "python"
        checked = subprocess.run([sys.executable, *arguments], env=environment, check=False)
        server.shutdown()
    assert checked.returncode == verdict
    assert asked == ["/healthz"]


def test_the_image_is_pinned_and_installs_by_hash_before_its_last_stage() -> None:
    stages = [each for each in dockerfile() if each.word == "FROM"]
    assert len(stages) == 2
    assert {re.match(r"python:3\.1[1-4]-slim", each.rest) is not None for each in stages} == {True}
    assert any("--require-hashes" in each.rest for each in dockerfile() if each.word == "RUN" and each.stage == 0)
    assert [each for each in final_stage("RUN") if re.search(r"\binstall\b(?!ed)", each)] == []


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    composition = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert composition["volumes"].keys() == {"postgres"}
    found: dict[str, Any] = composition["services"]
    return found


def test_compose_keeps_the_data_where_postgresql_18_writes_it(services: dict[str, Any]) -> None:
    assert services["postgres"]["image"] == "postgres:18"
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_compose_waits_for_a_healthy_database(services: dict[str, Any]) -> None:
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert services["dateline"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["dateline"]["healthcheck"]["test"] == ["CMD", *health_check()]


def test_compose_ships_no_password_and_opens_loopback_alone(services: dict[str, Any]) -> None:
    secret = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?[^}]+\}", secret)
    assert (
        services["dateline"]["environment"]["DATELINE_DATABASE_URL"]
        == f"postgresql://dateline:{secret}@postgres:5432/dateline"
    )
    assert "ports" not in services["postgres"]
    assert all(port.startswith("127.0.0.1:") for port in services["dateline"]["ports"])


def test_compose_gives_the_service_no_more_than_it_needs(services: dict[str, Any]) -> None:
    service = services["dateline"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(each["security_opt"] == ["no-new-privileges:true"] for each in services.values())
    assert "privileged" not in service
    assert "user" not in service, "the image says which user"
