import { get, type Queue, send } from "../../api/client";
import { useLoaded } from "../../api/live";
import { type Field, Form } from "../../parts/forms";
import { type Column, Problem, Table } from "../../parts/parts";
import { seconds, time } from "../../parts/words";
import type { Part } from "./clock";

const FIELDS: Field[] = [
  { name: "device", label: "Queue at", required: true, placeholder: "torino" },
  { name: "waiting", label: "Jobs there", type: "number", min: 0, max: 10000, value: 4 },
  { name: "arrivals_per_hour", label: "Come in an hour", type: "number", min: 0, max: 360, value: 30 },
  { name: "mean_run_seconds", label: "Each runs seconds", type: "number", min: 0.001, max: 86400, value: 10 },
];
const MORE: Field[] = [
  { name: "for_hours", label: "They come for hours", type: "number", min: 0, max: 720 },
  { name: "run_scale", label: "Own jobs run as long as counted, times", type: "number", min: 0, max: 1000 },
  { name: "seed", label: "Drawn from the seed", type: "number", min: 0 },
];

/** Jobs of others at devices: how many, and how they come. */
export function Queues({ act, turn }: Part) {
  const queues = useLoaded(() => get("/emulator/queues"), turn, () => true);
  const columns: Column<Queue>[] = [
    { title: "Device", cell: ({ device }) => <a href={`/console/devices/${device}`}>{device}</a>, by: ({ device }) => device },
    { title: "Of others there now", cell: ({ present }) => present.toLocaleString(), by: ({ present }) => present, number: true },
    { title: "Come in an hour", cell: ({ setting }) => setting.recorded ? "as recorded" : setting.arrivals_per_hour, number: true },
    { title: "Each runs", cell: ({ setting }) => seconds(setting.mean_run_seconds), number: true },
    { title: "Free at", cell: ({ free_at: free }) => time(free) },
    {
      title: "Take away",
      cell: ({ device }) => (
        <button type="button" aria-label={`Take away the queue of ${device}`} onClick={() => act(() => send("DELETE", "/emulator/queues/{device}", { device }))}>
          Take away
        </button>
      ),
    },
  ];
  return (
    <section aria-labelledby="queues">
      <h2 id="queues">Queues of others</h2>
      <Problem error={queues.error} />
      <Form label="Let others queue" fields={FIELDS} more={MORE} submit={({ device, ...setting }) => act(() => send("PUT", "/emulator/queues/{device}", { device: String(device) }, setting))} />
      {queues.data?.queues.length === 0 && <p>Nobody else queues.</p>}
      {queues.data && queues.data.queues.length > 0 && <Table rows={queues.data.queues} columns={columns} id={({ device }) => device} caption="Devices at which others are served" />}
    </section>
  );
}
