"""The methods of HTTP under which a path of a document may declare an operation."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
