"""What reports of some kinds print beyond the outline: read on demand, by the module that knows the printk."""
