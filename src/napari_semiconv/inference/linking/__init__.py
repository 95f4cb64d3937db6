"""Cells of frames into tracks: frame by frame, and of the whole movie."""
