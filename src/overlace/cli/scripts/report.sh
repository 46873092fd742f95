
look "$MODE"
