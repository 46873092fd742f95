"""The `overlace` command."""
