"""A self-hosted weekly digest mailer: collect, compose, release, once."""

__version__ = "0.1.0"
