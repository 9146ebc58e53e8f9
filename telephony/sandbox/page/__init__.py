"""The sandbox's own page, and the control addresses under /_sandbox/ that it is made of."""
