// The same job by other means, to copy.
import type { Job } from "../api/client";

export function requests(job: Job, origin: string): { title: string; text: string }[] {
  const own = [
    { title: "Command line", text: `qumulus jobs show ${job.id}` },
    { title: "curl", text: `curl -s ${origin}/emulator/jobs/${job.id} -H "Authorization: Bearer $QUMULUS_ADMIN_TOKEN"` },
  ];
  const [family] = job.api.split("/");
  const client = CLIENTS[family!]?.(job.id);
  return client ? [...own, client] : own;
}

const CLIENTS: Record<string, (id: string) => { title: string; text: string }> = {
  ibm: (id) => ({
    title: "qiskit-ibm-runtime",
    text: `from qiskit_ibm_runtime import QiskitRuntimeService\n\njob = QiskitRuntimeService().job("${id}")\nprint(job.status(), job.result())`,
  }),
  oqtopus: (id) => ({
    title: "quri-parts-oqtopus",
    text: `from quri_parts_oqtopus.backend import OqtopusSamplingBackend\n\njob = OqtopusSamplingBackend().retrieve_job("${id}")\nprint(job.status, job.result().counts)`,
  }),
};
