"""`python -m digest` and the `digest` command."""

try:
    from digest.cli.app import run
except KeyboardInterrupt:  # loading takes a moment, in which Ctrl-C is no fault
    raise SystemExit(130) from None


def main() -> None:
    """Run the command line and exit with its status."""
    raise SystemExit(run())


if __name__ == "__main__":
    main()
