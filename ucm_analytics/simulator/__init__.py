"""A UCM to try and test against: the same API over real TLS."""
