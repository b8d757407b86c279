"""Seeds in, worlds to learn and probes of what was learnt out: one file per family."""
