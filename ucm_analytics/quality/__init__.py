"""Can the numbers be trusted: what is wrong with the stored records, and how they become calls."""
