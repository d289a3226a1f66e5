"""The local HTTPS proxy that answers for the real clouds, so that an untouched script runs here.

A client that is told `HTTPS_PROXY` asks it to CONNECT to, say, `quantum.cloud.ibm.com:443`. For the hosts of `sites` the proxy
does not connect to anything: it speaks TLS itself, with a certificate of a local authority that only this client was told to
trust, and hands the requests to the cloud that runs here. Every other host is refused unless it was named.
"""
