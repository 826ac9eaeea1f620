"""Where this installation lives: its web addresses and its mail domain."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Site:
    """The public face, from settings, never from a request's Host header.

    Attributes:
        base_url: `https://…` without a trailing slash.
        mail_domain: The domain of `subscribe@`, `unsubscribe@` and `bounces+…@`.
    """

    base_url: str
    mail_domain: str

    def page(self, path: str) -> str:
        """Return the absolute address of a path that starts with a slash."""
        return f"{self.base_url}{path}"

    def confirm_url(self, token: str) -> str:
        """Return the page whose button confirms a subscription."""
        return f"{self.base_url}/confirm/{token}"

    def unsubscribe_url(self, token: str) -> str:
        """Return the one-click address (RFC 8058 §3.1)."""
        return f"{self.base_url}/u/{token}"

    def preferences_url(self, token: str) -> str:
        """Return the page where a reader changes what they get."""
        return f"{self.base_url}/preferences/{token}"

    def unsubscribe_mailto(self, token: str) -> str:
        """Return the mailto URI of List-Unsubscribe (RFC 2369 §3.2)."""
        return f"mailto:unsubscribe+{token}@{self.mail_domain}"

    def bounce_address(self, token: str) -> str:
        """Return the envelope sender of one letter."""
        return f"bounces+{token}@{self.mail_domain}"

    def confirm_address(self, token: str) -> str:
        """Return the Reply-To of a confirmation letter."""
        return f"confirm+{token}@{self.mail_domain}"

    def archive_url(self, newsletter: str, issue_date: str) -> str:
        """Return the web address of one edition."""
        return f"{self.base_url}/archive/{newsletter}/{issue_date}"
