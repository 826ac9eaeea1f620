"""From an approved edition to letters a server took responsibility for."""
