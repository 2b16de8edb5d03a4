"""E-mail: what is to be sent, how it is written, sent once and accounted for."""
