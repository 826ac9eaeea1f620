"""The header fields that every answer carries."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.domain.site import PERSONAL

# No script at all, nothing from elsewhere, no framing; forms come back to us.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",  # the path may hold a token
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def add_headers(headers: MutableHeaders, *, path: str, method: str) -> None:
    """Add what an answer to this request must carry."""
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    private = path.startswith(PERSONAL)
    if private:
        headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    kept = not private and method in {"GET", "HEAD"}
    headers.setdefault("Cache-Control", "max-age=60" if kept else "no-store")


class HeadersMiddleware:
    """Puts them on everything the application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(
                    MutableHeaders(scope=message),
                    path=scope["path"],
                    method=scope["method"],
                )
            await send(message)

        await self.app(scope, receive, complete)
