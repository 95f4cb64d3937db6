"""What every claim on speed and quality is made with: `python -m benchmarks list`."""
