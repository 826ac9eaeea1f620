"""The one guarded HTTP client: size, time, redirect and address limits."""
