"""Votes engine: semi-convolutional votes into cells, on whatever device."""
