"""What no cloud offers: what is under a person's control.

calibrations  how a device drifts from one calibration to the next
clock      sets the clock of the cloud, and advances it as far as a job needs
faults     what goes wrong, by rules: requests that come to any API
catalogue  the devices under faults
responses  how an answer goes wrong on its way
"""
