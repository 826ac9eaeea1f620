"""GET one address, within limits, following redirects one checked hop at a time."""

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import httpcore2
import httpx2

from digest.domain.webaddresses import clean_url
from digest.fetch.addresses import (
    Permit,
    Resolve,
    is_public,
    is_public_or_private,
    resolve_host,
)
from digest.fetch.decoding import read_capped, too_large
from digest.fetch.transport import Deadline, FetchError, GuardedTransport, Monotonic

_Result = TypeVar("_Result")

USER_AGENT = "digest-mailer/0.1 (collects stories for a weekly letter)"
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one fetch may cost.

    Attributes:
        octets: Largest body accepted, after decoding.
        seconds: From the first name lookup to the last octet, redirects included.
        redirects: How many are followed.
    """

    octets: int = 10_000_000
    seconds: float = 30.0
    redirects: int = 5


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a server answered.

    Attributes:
        url: The address the answer came from, after redirects.
        body: Decoded octets; empty where `not_modified`.
        content_type: As sent, with parameters; may be empty.
        etag: To send back next time (RFC 9110 §8.8.3).
        last_modified: Likewise (RFC 9110 §8.8.2).
        not_modified: The server says nothing changed (304).
        headers: All header fields, names in lower case.
    """

    url: str
    body: bytes
    content_type: str
    etag: str | None
    last_modified: str | None
    not_modified: bool
    headers: Mapping[str, str]


class Fetcher:
    """The guarded client. Name lookups take what the system's resolver takes.

    Args:
        permits: Which network addresses may be connected to.
        limits: How much one fetch may cost.
        resolve: From host name to addresses.
        monotonic: The clock of the time limit.
        tls: How servers prove their name; default: the system's trust store.
    """

    def __init__(
        self,
        *,
        permits: Permit = is_public,
        limits: Limits = Limits(),
        resolve: Resolve = resolve_host,
        monotonic: Monotonic = time.monotonic,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._permits = permits
        self._limits = limits
        self._resolve = resolve
        self._monotonic = monotonic
        self._tls = tls or httpx2.create_ssl_context()

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = "*/*",
    ) -> Fetched:
        """Fetch one address.

        Args:
            url: `http://…` or `https://…`, without a user name.
            etag: Of the copy already held; the answer may be `not_modified`.
            last_modified: Likewise.
            accept: The media types wanted (RFC 9110 §12.5.1).

        Raises:
            FetchError: The address is not permitted, a limit was reached, the
                server could not be reached or answered with an error.
        """
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": accept,
            "Accept-Encoding": "gzip, deflate",
        }
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        return self._guarded(url, "GET", headers, self._read)

    def status(self, url: str) -> int:
        """Ask whether an address can be read, without reading it.

        Asked by HEAD (RFC 9110 §9.3.2), and by GET where that fails: some servers
        know no HEAD, forbid it, or hang up.

        Args:
            url: `http://…` or `https://…`, without a user name.

        Returns:
            The HTTP status after redirects.

        Raises:
            FetchError: The address is not permitted, or the server could not be
                reached in time.
        """
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        with suppress(FetchError):
            found = self._guarded(url, "HEAD", headers, _status_of)
            if found < HTTPStatus.BAD_REQUEST:
                return found
        return self._guarded(url, "GET", headers, _status_of)

    def _guarded(
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        read: Callable[[httpx2.Response, str], _Result],
    ) -> _Result:
        try:
            return self._follow(url, method, headers, read)
        except httpcore2.TimeoutException:
            raise FetchError(
                f"The server took longer than {self._limits.seconds:g} seconds.",
                "Try again later.",
            ) from None
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpx2.HTTPError,
            httpx2.InvalidURL,
        ) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise FetchError(
                f"{url[:200]} could not be fetched: {reason[:200]}.",
                "Check the address and try again later.",
            ) from None

    def _follow(
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        read: Callable[[httpx2.Response, str], _Result],
    ) -> _Result:
        deadline = Deadline(self._limits.seconds, self._monotonic)
        target = _checked(url)
        transport = GuardedTransport(
            resolve=self._resolve,
            permits=self._permits,
            deadline=deadline,
            tls=self._tls,
        )
        for _ in range(self._limits.redirects + 1):
            # A client of its own per hop: cookies and connections end with it.
            with (
                httpx2.Client(transport=transport, trust_env=False) as client,
                client.stream(method, target, headers=headers) as answer,
            ):
                if answer.status_code not in _REDIRECTS:
                    return read(answer, target)
                target = _checked(answer.headers.get("location", ""), base=target)
        raise FetchError(
            f"The address redirects more than {self._limits.redirects} times.",
            "Give the address it ends at.",
        )

    def _read(self, answer: httpx2.Response, url: str) -> Fetched:
        not_modified = answer.status_code == HTTPStatus.NOT_MODIFIED
        if answer.status_code != HTTPStatus.OK and not not_modified:
            raise FetchError(
                f"{url[:200]} answered {answer.status_code}"
                f" {answer.reason_phrase}".rstrip()
                + ".",
                "Open it in a browser to see what is wrong.",
                status=answer.status_code,
            )
        return Fetched(
            url=url,
            body=b"" if not_modified else self._read_body(answer),
            content_type=answer.headers.get("content-type", ""),
            etag=answer.headers.get("etag"),
            last_modified=answer.headers.get("last-modified"),
            not_modified=not_modified,
            headers={name.lower(): value for name, value in answer.headers.items()},
        )

    def _read_body(self, answer: httpx2.Response) -> bytes:
        cap = self._limits.octets
        declared = answer.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > cap:
            raise too_large(cap)
        encoding = answer.headers.get("content-encoding", "")
        return read_capped(answer.iter_raw(), encoding=encoding, cap=cap)


def make_fetcher(*, allow_private: bool, limits: Limits = Limits()) -> Fetcher:
    """Build the client.

    Args:
        allow_private: Permit loopback and private networks too; link-local,
            multicast and reserved addresses stay refused.
        limits: How much one fetch may cost.
    """
    permits = is_public_or_private if allow_private else is_public
    return Fetcher(permits=permits, limits=limits)


def _status_of(answer: httpx2.Response, _url: str) -> int:
    return int(answer.status_code)


def _checked(url: str, base: str | None = None) -> str:
    found = clean_url(url, base=base)
    if found is None:
        raise FetchError(
            f"{url[:200]!r} is not an address that can be fetched.",
            "Use http:// or https://, without a user name in it.",
        )
    return found
