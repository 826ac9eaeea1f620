"""What is timed, and what runs long: run as `python -m bench.NAME`."""
