"""`python -m digest` and the `digest` command."""

from digest.cli.app import run


def main() -> None:
    """Run the command line and exit with its status."""
    raise SystemExit(run())


if __name__ == "__main__":
    main()
