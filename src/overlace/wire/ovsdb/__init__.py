"""OVSDB (RFC 7047, ovsdb-server(7)): framing, messages, values, replica and session, all sans-IO."""
