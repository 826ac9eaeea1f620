"""What a message is: a command, an answer, a robot's, a report, or none of these."""
