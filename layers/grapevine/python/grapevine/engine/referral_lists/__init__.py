"""Lists of referrals and invites, of a campaign and of a participant."""
