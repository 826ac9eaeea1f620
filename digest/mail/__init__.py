"""Protocol code that knows nothing of us: messages, DKIM, SMTP, reply codes."""
