"""Articles in: read, normalise, sanitise at the door, store once."""
