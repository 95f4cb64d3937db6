"""What the user says of cells, held by every engine."""
