"""What a chat is: rules as pure functions of values. No I/O, no clock, no library; everything may import this."""
