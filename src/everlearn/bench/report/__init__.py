"""Cases of a benchmark in, one self-contained page (`page`) and tables as CSV (`tables`) out; no model is loaded."""
