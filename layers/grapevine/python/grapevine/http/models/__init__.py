"""What goes in and out of the endpoints, field by field, in the API's own names."""
