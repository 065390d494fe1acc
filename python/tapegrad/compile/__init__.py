"""`tg.compile`: functions that are recorded, and replayed as programs where that means the same."""
