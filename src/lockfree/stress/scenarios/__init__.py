"""One module per primitive, each with a `SCENARIO`. A new primitive is a new file here."""
