"""What the panes say: entries and rows for the width there is."""
