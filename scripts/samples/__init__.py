"""Makers of the sample workbooks; see scripts/make_samples.py."""
