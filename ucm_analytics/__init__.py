"""Call analytics for Grandstream UCM63xx phone systems."""

__version__ = "0.1.0"
