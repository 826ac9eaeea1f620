"""axe finds nothing: each language, phone and desk, light and dark."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.gates.conftest import HERE
from tests.gates.figures import tell
from tests.gates.letters import Written
from tests.gates.screen import opened

AXE = HERE / "node_modules/axe-core/axe.min.js"


def violations(found: list[dict[str, Any]]) -> list[str]:
    """One line for each element at fault."""
    return [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 700])
def test_axe_finds_no_violation(
    browser: Browser, letter: Written, edition: str, width: int, scheme: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe is not there: `make gates` installs it with npm")

    with opened(browser, letter, width=width, scheme=scheme) as page:
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run()")

    unsure = [rule["id"] for rule in found["incomplete"]]
    tell(
        f"axe, {edition} at {width} in {scheme}: {len(found['violations'])} violated,"
        f" {len(found['passes'])} passed, for a person to judge: {unsure}"
    )
    assert violations(found["violations"]) == []
