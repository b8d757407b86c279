"""Tests of the data formats, one file per format."""
