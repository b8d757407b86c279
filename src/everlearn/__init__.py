"""everlearn."""
