"""One module for each primitive, with a `SCENARIO`. A new primitive needs a new file here."""
