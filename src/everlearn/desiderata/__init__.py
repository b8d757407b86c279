"""Recorded trials in, scores out: one file per desideratum or open question; no model involved."""
