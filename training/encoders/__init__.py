"""Speech encoders as named plug-ins: the table is in `table`, what they share in `interface`."""
