"""Engines: what the network predicts for frames, turned into cells."""
