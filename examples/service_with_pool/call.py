"""Make a data pool, put files into it, and have a service work on them.

qumulus serve &
qumulus services add examples/service_with_pool
python examples/service_with_pool/call.py
"""

import os

from qhub.service.client import HubPlatformClient, HubServiceClient

URL = os.environ.get("QUMULUS_URL", "http://127.0.0.1:8080")
pools = HubPlatformClient(api_key="qumulus-local", platform_endpoint=f"{URL}/platform")._client.data_pools
pool = pools.create_data_pool(name="Numbers")
for name, content in (("a.csv", b"1.5\n2.5\n"), ("b.csv", b"4\n8\n")):
    pools.add_data_pool_file(pool.id, file=(name, content))

service = HubServiceClient(
    f"{URL}/services/service-with-pool", "qumulus", "qumulus-local", token_endpoint=f"{URL}/token"
)
result = service.run(request={"numbers": {"id": pool.id, "ref": "DATAPOOL"}, "digits": 1}).result()
print(f"mean of {result.values} values: {result.mean}")
print("files in the pool now:", ", ".join(sorted(file.name for file in pools.get_data_pool_files(pool.id))))
