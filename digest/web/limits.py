"""How many sign-ups one network, and all together, may ask for (attack A6)."""

import ipaddress
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)
_MOST_KEYS = 10_000
# Readers behind one carrier's shared address must get through, so the limit is on
# networks that hammer; a form without our signed time gets a smaller share.
PER_NETWORK, PER_NETWORK_UNSIGNED = 30, 10
ALTOGETHER, ALTOGETHER_UNSIGNED = 3000, 600
# One inbox has as many addresses as it likes: a+1@, a+2@, a.b@.
PER_MAILBOX = 5


@dataclass(kw_only=True)
class SignUpLimits:
    """Sliding windows in this process's memory, which is bounded.

    Attributes:
        per_network: The most in an hour from one network, or for one mailbox.
        altogether: The most in an hour from everywhere.
    """

    per_network: int = PER_NETWORK
    altogether: int = ALTOGETHER
    _seen: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, network: str, *, now: datetime) -> bool:
        """Count one request, unless it is over a limit."""
        wanted = [(f"n:{network}", self.per_network), ("all", self.altogether)]
        with self._lock:
            windows = [(self._window(key, now), most) for key, most in wanted]
            if any(len(window) >= most for window, most in windows):
                return False
            for window, _ in windows:
                window.append(now)
            self._forget(keep="all")
            return True

    def _window(self, key: str, now: datetime) -> deque[datetime]:
        window = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while window and now - window[0] >= WINDOW:
            window.popleft()
        return window

    def _forget(self, *, keep: str) -> None:
        while len(self._seen) > _MOST_KEYS:
            oldest = next(key for key in self._seen if key != keep)
            del self._seen[oldest]


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
