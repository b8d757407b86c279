"""A store's recorded answers in, terminal tables (`matrix`, `card`) and one self-contained page (`page`) out.

Nothing here loads a model or torch. This file imports nothing, so that one table costs no more than it needs.
"""
