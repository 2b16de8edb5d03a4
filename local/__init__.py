"""The whole stack on one machine, read from `template.yaml`, and the `grapevine` command."""
