"""One file per data format, found by its name without registration; `contract.py` says what each must be."""
