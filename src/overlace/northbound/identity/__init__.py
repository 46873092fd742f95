"""The part of the identity API v3 that clients of the networking API need, below /identity/v3."""
