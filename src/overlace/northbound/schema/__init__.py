"""Attribute schemas: ours from the model's declarations, the public one from the checked-in definitions."""
