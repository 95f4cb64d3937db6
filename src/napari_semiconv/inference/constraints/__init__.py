"""Constraints of the user on cells, held by every engine."""
