"""More than one server on one database: what each tells the others, and what it hears of them."""
