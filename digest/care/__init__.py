"""Looking after an installation: first seeds, and what a doctor would ask."""
