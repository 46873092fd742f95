"""The smallest vocabulary everything else shares: addresses, revisions, clock, keyed difference."""
