"""Who is woken for work: every worker by itself, or through a queue of wake-ups.

A wake-up never decides anything. What is due, and who may carry it, the ledger says;
losing every wake-up costs half a second. Imports no stage and no storage: callers hand
over an open connection, and what to do with a chunk.
"""
