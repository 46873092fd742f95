"""The rules of each resource, one module each; the generic handler does all that they have in common."""
