"""What an opened report is seen by: a view a family of kinds, rows laid out for the room there is."""
