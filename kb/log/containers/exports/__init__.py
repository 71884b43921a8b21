"""What tools export of logs: records, and documents that hold them."""
