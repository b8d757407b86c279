"""Results in, what a person reads on a terminal (or a program reads as JSON) out."""
