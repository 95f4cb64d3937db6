"""The network over the frames of a movie: memory, tiles, precision, prefetch."""
