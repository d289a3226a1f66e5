"""What no cloud offers: what is under a person's control.

faults     what goes wrong, by rules: requests that come to any API
responses  how an answer goes wrong on its way
"""
