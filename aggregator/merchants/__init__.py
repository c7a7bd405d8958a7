"""Which shops there are, and which of them a typed word or a card's face names."""
