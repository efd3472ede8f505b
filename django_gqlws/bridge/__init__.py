"""The bridge from models to subscribers: a row changes, and after the commit those who listen are told."""
