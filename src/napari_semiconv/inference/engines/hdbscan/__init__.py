"""HDBSCAN engine: groups of pixels by density, and the package as a reference."""
