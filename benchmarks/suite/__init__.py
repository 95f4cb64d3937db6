"""One file per benchmark; its first line says what it measures."""
