"""Where this installation lives: its web addresses and its mail domain."""

from dataclasses import dataclass

# What is behind these paths is one person's, by a token.
PERSONAL = (
    *("/confirm/", "/u/", "/preferences/", "/my-data/", "/new-address/"),
    "/review/",
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The public face, from settings, never from a request's Host header.

    Attributes:
        base_url: `https://…` without a trailing slash.
        mail_domain: The domain of `subscribe@`, `unsubscribe@` and `bounces+…@`.
        takes_mail: What is written to that domain comes in.
    """

    base_url: str
    mail_domain: str
    takes_mail: bool = False

    def page(self, path: str, newsletter: str | None = None) -> str:
        """Return the absolute address of a path that starts with a slash.

        Args:
            path: `/archive`.
            newsletter: Whose page it is, in its language; default the first one's.
        """
        query = f"?newsletter={newsletter}" if newsletter else ""
        return f"{self.base_url}{path}{query}"

    def is_personal(self, url: str) -> bool:
        """Tell whether an address is one that opens what is a single reader's."""
        return url.startswith(tuple(f"{self.base_url}{path}" for path in PERSONAL))

    def confirm_url(self, token: str) -> str:
        """Return the page whose button confirms a subscription."""
        return f"{self.base_url}/confirm/{token}"

    def unsubscribe_url(self, token: str) -> str:
        """Return the one-click address (RFC 8058 §3.1)."""
        return f"{self.base_url}/u/{token}"

    def preferences_url(self, token: str) -> str:
        """Return the page where a reader changes what they get."""
        return f"{self.base_url}/preferences/{token}"

    def rights_url(self, token: str) -> str:
        """Return the page of a reader's data, open for a short time."""
        return f"{self.base_url}/my-data/{token}"

    def new_address_url(self, token: str) -> str:
        """Return the page whose button agrees to letters at a new address."""
        return f"{self.base_url}/new-address/{token}"

    def review_url(self, token: str) -> str:
        """Return the page where the desk settles one edition."""
        return f"{self.base_url}/review/{token}"

    def unsubscribe_mailto(self, token: str) -> str:
        """Return the mailto URI of List-Unsubscribe (RFC 2369 §3.2)."""
        return f"mailto:unsubscribe+{token}@{self.mail_domain}"

    def bounce_address(self, token: str) -> str:
        """Return the envelope sender of one letter."""
        return f"bounces+{token}@{self.mail_domain}"

    def confirm_address(self, token: str) -> str:
        """Return the Reply-To of a confirmation letter."""
        return f"confirm+{token}@{self.mail_domain}"

    def feedback_url(self, newsletter: str, issue_date: str, answer: str) -> str:
        """Return the page that asks what readers thought of an edition.

        Args:
            newsletter: Its name.
            issue_date: The edition's.
            answer: Chosen beforehand, by the link.
        """
        return f"{self.base_url}/feedback/{newsletter}/{issue_date}?answer={answer}"

    def archive_url(
        self, newsletter: str, issue_date: str, *, correction: int = 0
    ) -> str:
        """Return the web address of one edition.

        Args:
            newsletter: Its name.
            issue_date: The issue's.
            correction: Which correction of that issue; 0: the issue itself.
        """
        page = f"{self.base_url}/archive/{newsletter}/{issue_date}"
        if not correction:
            return page
        return f"{page}/correction" + (f"-{correction}" if correction > 1 else "")
