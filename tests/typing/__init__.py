"""Only type-checked: what a user may write."""
