"""What comes in by e-mail, from the server's bytes to a row: sources → polling → mime → screening → matching."""
