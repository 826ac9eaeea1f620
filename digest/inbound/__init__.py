"""Mail that comes in: how it arrives, is kept, and is given to what acts on it."""
