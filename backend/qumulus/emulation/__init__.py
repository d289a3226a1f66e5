"""What no cloud offers: what is under a person's control.

clock      sets the clock of the cloud, and advances it as far as a job needs
faults     what goes wrong, by rules: requests that come to any API
catalogue  the devices under faults
responses  how an answer goes wrong on its way
"""
