"""The frame of `make bench`: columns of entries, measured side by side in one run, interleaved."""
