"""$default: a route that does not exist, answered in the words of the API it seems to be of."""

from grapevine.http.unknown_route import answer as handler

__all__ = ["handler"]
