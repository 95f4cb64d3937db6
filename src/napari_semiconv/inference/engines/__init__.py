"""Engines: what the network says of frames, turned into cells."""
