// The same job by other means, to copy.
import type { Job } from "../api/client";

export function requests(job: Job, origin: string): { title: string; text: string }[] {
  const asked = `${origin}/emulator/jobs/${job.id}`;
  const own = [
    { title: "Command line", text: `qumulus jobs show ${job.id}` },
    { title: "curl", text: `curl -s ${asked} -H "Authorization: Bearer $QUMULUS_ADMIN_TOKEN"` },
    {
      title: "Python",
      text: `import json, os\nfrom urllib.request import Request, urlopen\n\nheaders = {"Authorization": "Bearer " + os.environ["QUMULUS_ADMIN_TOKEN"]}\nwith urlopen(Request("${asked}", headers=headers)) as answered:\n    print(json.load(answered))`,
    },
  ];
  const client = CLIENTS[job.api.startsWith("planqk/quantum") ? "planqk" : job.api.split("/")[0]!]?.(job.id, origin);
  return client ? [...own, client] : own;
}

const CLIENTS: Record<string, (id: string, origin: string) => { title: string; text: string }> = {
  ibm: (id) => ({
    title: "qiskit-ibm-runtime",
    text: `from qiskit_ibm_runtime import QiskitRuntimeService\n\njob = QiskitRuntimeService().job("${id}")\nprint(job.status(), job.result())`,
  }),
  planqk: (id, origin) => ({
    title: "Kipu Quantum Hub",
    text: `curl -s ${origin}/quantum/jobs/${id}/result -H "X-Auth-Token: $KQH_PERSONAL_ACCESS_TOKEN"`,
  }),
  oqtopus: (id) => ({
    title: "quri-parts-oqtopus",
    text: `from quri_parts_oqtopus.backend import OqtopusSamplingBackend\n\njob = OqtopusSamplingBackend().retrieve_job("${id}")\nprint(job.status, job.result().counts)`,
  }),
};
