"""Benchmarks: ratios measured in one run against what people would write by hand; nothing is asserted."""
