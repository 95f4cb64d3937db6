"""Experiments: the papers' claims, and the choices behind the defaults, measured."""
