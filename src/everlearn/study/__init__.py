"""Documents, skills and corrections in, training examples out: one file per strategy, found by name."""
