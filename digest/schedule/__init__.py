"""The schedule: it says when an issue is collected, composed and released."""
