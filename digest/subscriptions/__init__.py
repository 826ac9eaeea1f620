"""Who gets the letter: opting in and out, preferences, import, export, erasure."""
