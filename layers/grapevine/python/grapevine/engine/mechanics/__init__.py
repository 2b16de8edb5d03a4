"""What an event is worth: points, milestones and instant wins. Pure rules, no table."""
