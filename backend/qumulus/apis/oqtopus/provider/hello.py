"""Is anybody there?"""

from __future__ import annotations

from qumulus.openapi.contract import Operations

from .schemas.hello import HelloWorldResponse, Name

operation = Operations()


@operation("getHello")
def get_hello() -> HelloWorldResponse:
    return HelloWorldResponse(message="Hello World!!")


@operation("getHelloName")
def get_hello_name(name: Name) -> HelloWorldResponse:
    return HelloWorldResponse(message=f"Hello {name}!!")
