"""$default: a route that does not exist, answered in the API's own error body."""

from grapevine.http.growsurf import unknown_route as handler

__all__ = ["handler"]
