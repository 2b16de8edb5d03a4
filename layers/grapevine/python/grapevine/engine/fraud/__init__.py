"""Whether somebody is who they say: rules over evidence, and what follows from what they find."""
