"""One broadcast, many subscribers: groups, the bus over the channel layer, the hub of a process."""
