"""Ways to study a document: one file each, found by name."""
