"""The loop: gather changes, compile, publish plans, collect acknowledgements, tell the status of ports."""
