"""The public pages: no login, no cookie, no script."""
