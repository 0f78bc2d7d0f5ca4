"""The response to bytes that are not an HTTP request, or that have an unknown method."""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.errors import MalformedRequest
from kernel.process.tracing import begin


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's protocol, but with a problem document and a request id instead of plain text."""

    def send_400_response(self, msg: str) -> None:
        """Send a problem and close the connection, because it is unknown where the next request
        begins."""
        request_id = begin(None, None).request_id
        problem = {
            "type": f"/problems/{MalformedRequest.slug}",
            "title": MalformedRequest.title,
            "status": MalformedRequest.status,
            "detail": "This is no HTTP request, or one with an unknown method.",
            "instance": "",
            "requestId": request_id,
        }
        body = json.dumps(problem).encode()
        head = [
            "HTTP/1.1 400 Bad Request",
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            f"x-request-id: {request_id}",
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "cache-control: no-store",
            "connection: close",
        ]
        self.logger.info("%s  %s", msg, request_id)
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()
