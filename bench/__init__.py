"""Measurements. `make bench`, or `make bench ARGS="claims --database sqlite"`; figures: docs/benchmarks.md."""
