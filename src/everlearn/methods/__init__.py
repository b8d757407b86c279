"""Methods that learn in the weights: one file each, found by name."""
