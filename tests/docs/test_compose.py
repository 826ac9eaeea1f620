"""docker-compose.yml holds together: checked here because CI has no Docker engine."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from digest.cli.app import make_app
from digest.settings import setting_names, variable_of
from digest.settings.parts import InboundSettings

FILE = Path(__file__).parents[2] / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LISTENER = InboundSettings()
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("digest-mail")}


def is_secret(key: str) -> bool:
    """Whether a variable holds a secret, or names the file of one."""
    return bool(re.search("PASSWORD|SECRET|DATABASE__URL", key))


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a file from the image: its last match decides."""
    ignored = False
    for line in (FILE.parent / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        tops = [path.rsplit("/", n)[0] for n in range(path.count("/") + 1)]
        if line.startswith("**/"):
            tops = path.split("/")
        if line and line[0] != "#" and any(fnmatch(top, pattern) for top in tops):
            ignored = line[0] != "!"
    return ignored


def of_profile(profile: str) -> set[str]:
    return {name for name, s in SERVICES.items() if profile in s["profiles"]}


def named(service: dict[str, Any], part: str) -> Iterator[str]:
    """The volumes, secrets or configs a service mounts, by name."""
    for entry in service.get(part, []):
        source = entry["source"] if isinstance(entry, dict) else entry.partition(":")[0]
        if not source.startswith((".", "/")):
            yield source


def test_small_is_one_process_behind_a_proxy() -> None:
    assert of_profile("small") == {"init", "digest", "proxy"}
    assert SERVICES["digest"]["command"] == ["serve"]


def test_grown_has_every_part() -> None:
    parts = {"set-up", "web", "inbound", "worker", "schedule", "grown-proxy"}
    assert of_profile("grown") == {*parts, "postgres", "postfix"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_services_of_its_profile(name: str) -> None:
    service = SERVICES[name]

    (profile,) = service["profiles"]

    assert set(service.get("depends_on", [])) <= of_profile(profile)


@pytest.mark.parametrize("part", ["volumes", "secrets", "configs"])
def test_what_is_mounted_is_declared_and_the_other_way_round(part: str) -> None:
    used = {name for service in SERVICES.values() for name in named(service, part)}

    assert used == set(COMPOSE[part])


def test_every_variable_is_a_setting() -> None:
    known = {variable_of(name) for name in setting_names()}
    known |= {f"{variable}_FILE" for variable in known}

    used = set(re.findall(r"\bDIGEST_[A-Z_]+", TEXT)) - {"DIGEST_HOME"}

    assert used <= known


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    command, *options = OURS[name]["command"]

    found = getattr(get_command(make_app(command)), "commands", {})[command]

    known = {option for p in found.params for option in p.opts}
    assert {option for option in options if option.startswith("-")} <= known


@pytest.mark.parametrize("name", OURS)
def test_every_process_has_the_same_keys(name: str) -> None:
    assert "state:/var/lib/digest" in OURS[name]["volumes"]


@pytest.mark.parametrize("name", ["digest", "inbound"])
def test_mail_is_taken_from_this_machine_alone(name: str) -> None:
    """Who reaches the listener is believed."""
    port = LISTENER.port

    ports = SERVICES[name]["ports"]

    assert ports == [f"127.0.0.1:{port}:{port}"]


def test_every_process_knows_whether_mail_comes_in() -> None:
    values = {s["environment"]["DIGEST_INBOUND__PROTOCOL"] for s in OURS.values()}

    assert values == {"${DIGEST_INBOUND__PROTOCOL:-none}"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"init", "set-up"}))
def test_what_keeps_running_is_looked_after(name: str) -> None:
    service = SERVICES[name]

    is_proxy = service["image"].startswith("caddy")

    assert service["restart"] == "unless-stopped"
    assert is_proxy or "healthcheck" in service


def test_images_are_pinned_and_built_from_pinned_ones() -> None:
    images = [s["image"] for s in SERVICES.values()]
    images += re.findall(r"^\s*FROM (\S+)", TEXT, re.MULTILINE)

    assert all(re.search(r":(local|\d[\w.-]*)$", image) for image in images)


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_named_by_its_file_only(name: str) -> None:
    environment = SERVICES[name].get("environment", {})

    plain = [key for key in environment if is_secret(key) and not key.endswith("_FILE")]
    files = [key for key in environment if is_secret(key) and key.endswith("_FILE")]

    assert plain == []
    assert all("/run/secrets/" in environment[key] for key in files)
    assert not any("@" in str(value) for value in environment.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_that_is_named_is_mounted(name: str) -> None:
    service = SERVICES[name]

    named_files = re.findall(r"/run/secrets/(\w+)", str(service.get("environment")))

    assert set(named_files) <= set(named(service, "secrets"))


@pytest.mark.parametrize("name", ["web.base_url", "mail.domain", "smtp.host"])
def test_what_nobody_can_guess_is_asked_for(name: str) -> None:
    variable = variable_of(name)

    values = [s["environment"][variable] for s in OURS.values()]

    assert all(value.startswith(f"${{{variable}:?") for value in values)


def test_what_is_installed_is_pinned_by_its_hashes() -> None:
    installs = re.findall(r"RUN (pip install .*)", TEXT)

    assert len(installs) == 2
    assert all(
        "--require-hashes" in line or "--no-deps --no-build-isolation" in line
        for line in installs
    )


def test_every_list_of_packages_is_copied_before_it_is_used() -> None:
    copied = re.findall(r"COPY (.*) requirements/$", TEXT, re.MULTILINE)

    assert set(re.findall(r"-r (\S+)", TEXT)) == {p for c in copied for p in c.split()}


@pytest.mark.parametrize(
    "path",
    [
        *("requirements/postgres.txt", "requirements/build.txt", "pyproject.toml"),
        *("README.md", "LICENSE", "digest/__main__.py", "templates/locale/ar.po"),
        *("config/newsletters/weekly.toml", "config/sample-week/edition.toml"),
    ],
)
def test_the_image_is_given_what_it_is_built_from(path: str) -> None:
    assert not is_ignored(path)


@pytest.mark.parametrize(
    "path",
    [
        *("config/digest.toml", ".env", "secrets/database_url", "var/keys/token-1.key"),
        *(".git/config", "digest/cli/__pycache__/app.cpython-313.pyc", ".venv/bin/pip"),
    ],
)
def test_the_image_is_given_nothing_of_an_operators(path: str) -> None:
    assert is_ignored(path)


def test_postgres_counts_as_ready_only_for_the_network() -> None:
    check = SERVICES["postgres"]["healthcheck"]["test"]

    assert check[:4] == ["CMD", "pg_isready", "-h", "127.0.0.1"]


def test_the_relay_has_room_for_every_connection() -> None:
    limit = re.search(r'"default_process_limit = (\d+)"', TEXT)
    defaults = [int(d) for d in re.findall(r"S(?:IONS|SES):-(\d+)", TEXT)]

    assert limit
    # Two workers, and one more that is starting in the place of another.
    assert int(limit[1]) >= 3 * prod(defaults)
