"""Grapevine: the referral, rewards and gamification engine. Reads http -> engine -> table."""
