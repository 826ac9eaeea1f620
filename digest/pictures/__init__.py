"""From anybody's picture to two files of our own: decoded apart, nothing else kept."""
