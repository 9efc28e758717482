"""The rules, one module per matter. A rule is a small function of a `Claim`: it asks the handbook
by key, reports every evaluation to `trace`, adds findings and moves money of lines."""
