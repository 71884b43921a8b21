"""What the lists hold: reports and signatures, filtered, grouped and in order."""
