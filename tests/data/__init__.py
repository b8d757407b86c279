"""Tests of the data layer: files in, items and questions out."""
