"""The ledger: reservations, counters, allowances."""
