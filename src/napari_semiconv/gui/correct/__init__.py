"""The room where cells and tracks are corrected by mouse and keys."""
