"""Long campaigns, one file per primitive; run with `make soak`."""
