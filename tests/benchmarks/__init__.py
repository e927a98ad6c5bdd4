"""Benchmarks: ratios measured in one run against what people write by hand; tables are compared, times not asserted."""
