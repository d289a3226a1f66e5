"""What every dispatcher does with the jobs that it takes from the queue, whatever then runs them.

leases      claims under a lease, and the heartbeat that renews it
attempts    what is stored of one attempt: each write is insisted on, and its log comes along
log_buffer  the lines of a log that are not stored yet
loops       loops that outlive errors
"""
