"""The index of ranks by points: how many are ahead of a player, from a few small items."""
