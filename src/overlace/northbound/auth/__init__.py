"""Who is asking: no authentication, HTTP basic, or identity API v3 tokens."""
