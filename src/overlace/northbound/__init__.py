"""The HTTP API: the networking API v2.0 and Overlace's own resources, on one schema-driven handler."""
