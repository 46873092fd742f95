"""What a switch can do: matches, actions, flows, groups, meters; and what they mean (the interpreter)."""
