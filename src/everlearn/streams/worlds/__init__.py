"""What the worlds of the families are made of: one file for each kind of thing in them."""
