"""The best lineage of a movie: cells and options of linking them, solved in windows."""
