"""What is measured: each function drives one server and returns the figures that ``catalogue`` turns into rows."""
