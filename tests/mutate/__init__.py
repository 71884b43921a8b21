"""Takes each row of the tables out and wants a sample to fail: what nothing holds down goes, or gets a sample."""
