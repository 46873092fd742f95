"""The composition root: here, and only here, the packages meet."""
