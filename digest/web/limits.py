"""How often one network may press a button (attack A6)."""

import ipaddress

from starlette.requests import Request

from digest.subscriptions import admission
from digest.web.pages import service_of


def admit(request: Request, kind: str) -> bool:
    """Count a request of some kind, unless its network asked too often."""
    service = service_of(request)
    return admission.admit(
        service.db,
        kind=kind,
        network=network_of(request.client.host if request.client else None),
        rules=service.settings.sign_up.rules,
        secrets=service.secrets,
        now=service.now(),
    )


def network_of(address: str | None) -> str:
    """Fold a client's address to what one subscriber line has: IPv4, or IPv6 /64."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
