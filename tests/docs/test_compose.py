"""docker-compose.yml holds together: checked here because CI has no Docker engine."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from digest.cli.app import make_app
from digest.settings import setting_names, variable_of

FILE = Path(__file__).parents[2] / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("digest-mail")}


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
    parts = {"set-up", "web", "worker", "schedule", "grown-proxy"}
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


def test_no_password_stands_in_the_file() -> None:
    settings = [s.get("environment", {}) for s in SERVICES.values()]

    values = {v for part in settings for k, v in part.items() if k.endswith("PASSWORD")}

    assert values <= {"${DIGEST_SMTP__PASSWORD:-}"}
