"""Rewards: offered, earned exactly once, approved and fulfilled."""
