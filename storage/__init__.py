"""Where things stay: ports with contracts, models, changes, and the stores behind them."""
