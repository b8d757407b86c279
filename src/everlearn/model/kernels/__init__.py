"""Tensors in, tensors out: the parts of a network between its matrix products, each in one pass over memory.

One file for each part, with its gradient. On a CPU with a C compiler they run in `source.c`; elsewhere, and on a GPU,
in plain torch, to the same values up to rounding.
"""
