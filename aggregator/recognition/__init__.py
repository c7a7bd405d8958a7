"""Photos in, a Reading out: values only, no table is known here."""
