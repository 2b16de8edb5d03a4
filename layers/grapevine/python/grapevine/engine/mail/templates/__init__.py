"""The texts of program e-mails: defaults, what may stand in them, and how they are filled in."""
