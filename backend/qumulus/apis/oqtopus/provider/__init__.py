"""The Provider API: engines fetch the jobs of their devices and report on them."""
