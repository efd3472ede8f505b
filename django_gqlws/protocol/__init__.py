"""The wire, without I/O: messages, close codes, the transition table."""
