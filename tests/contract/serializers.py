"""What schemathesis loads beside its configuration: the media type of the login is JSON under another name."""

import schemathesis

schemathesis.serializer.alias("application/x-amz-json-1.1", "application/json")
