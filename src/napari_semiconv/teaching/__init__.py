"""Teaching: a model learns from what the user corrected and confirmed."""
