"""Make switches equal to the plan, say when they are, and report what they say about themselves.

Read in this order: `operations`, `desired` and `order` (pure: what to change, and in which order), `switch`
(the life of one switch), `openflow_channel` and `ovsdb_channel` (the connections), `audit`, `hub` (all of it).
"""
