"""Shops that connect: who they are, their programmes, links to holders' cards, balances, offers and events."""
