import { useState } from "preact/hooks";
import { type Device, type DeviceSettings, get, type Medians, send } from "../api/client";
import { useLoaded } from "../api/live";
import { Form, useAct } from "../parts/forms";
import { type Column, Problem, Table, Title } from "../parts/parts";
import { number, time } from "../parts/words";

type Row = Device & Partial<Medians>;

const figure = (title: string, of: (row: Row) => number | null | undefined): Column<Row> => ({ title, cell: (row) => number(of(row)), by: (row) => of(row) ?? null, number: true });

const COLUMNS: Column<Row>[] = [
  { title: "Device", cell: (device) => <a href={`/console/devices/${device.name}`}>{device.name}</a>, by: (device) => device.name },
  { title: "Status", cell: (device) => <span class={`state ${device.settings.online ? "succeeded" : "failed"}`}>{device.settings.online ? "online" : "offline"}</span>, by: (device) => Number(!device.settings.online) },
  { title: "Qubits", cell: (device) => device.n_qubits, by: (device) => device.n_qubits, number: true },
  { title: "Processor", cell: (device) => device.family ?? (device.kind === "simulator" ? "ideal simulator" : "–"), by: (device) => device.family },
  { title: "Wait or run", cell: (device) => device.pending, by: (device) => device.pending, number: true },
  figure("Readout error", (row) => row.readout_error),
  figure("Gate error", (row) => row.gate_error),
  figure("Two-qubit error", (row) => row.two_qubit_gate_error),
  figure("T1 (µs)", (row) => row.t1_us),
  figure("T2 (µs)", (row) => row.t2_us),
  { title: "Calibrated", cell: (device) => time(device.calibrated_at), by: (device) => device.calibrated_at },
];

export function Devices() {
  const [text, setText] = useState("");
  const loaded = useLoaded(() => get("/emulator/devices"), 0, () => true);
  const medians = useLoaded(async () => new Map((await get("/emulator/medians")).medians.map((each) => [each.device, each])), loaded.data?.devices.length);
  const shown = loaded.data?.devices.filter(({ name, family }) => `${name} ${family ?? ""}`.toLowerCase().includes(text.toLowerCase())).map((device): Row => ({ ...medians.data?.get(device.name), ...device }));
  return (
    <>
      <Title text="Devices">
        <p>{loaded.data && `${loaded.data.devices.length} in all, the fleet “${loaded.data.fleet}”`}</p>
      </Title>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Name or processor <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      </form>
      <Problem error={loaded.error} />
      {shown && <Table rows={shown} columns={COLUMNS} id={(device) => device.name} caption="Devices, with the medians of their calibrations" />}
      <Add added={loaded.again} />
    </>
  );
}

/** Devices of one's own: from files, or a name under which an engine fetches jobs. */
function Add({ added }: { added: () => void }) {
  const [told, setTold] = useState<string>();
  const { act, error } = useAct(added);
  const add = (body: { name?: string; documents: unknown[] }, settings?: Partial<DeviceSettings>) =>
    act(async () => {
      const made = await send<{ devices: Device[] }>("POST", "/emulator/devices", {}, body);
      for (const { name, settings: before } of settings ? made!.devices : []) await send("PUT", "/emulator/devices/{device}/settings", { device: name }, { ...before, ...settings });
      setTold(`Added: ${made!.devices.map(({ name }) => name).join(", ")}.`);
    });
  const read = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void act(async () => {
      const documents = await Promise.all((form.getAll("files") as File[]).map(async (file) => JSON.parse(await file.text())));
      await add({ documents, name: String(form.get("name")).trim() || undefined });
    });
  };
  return (
    <section aria-labelledby="add">
      <h2 id="add">Add devices</h2>
      <Problem error={error} />
      {told && <p role="status">{told}</p>}
      <form class="filters" onSubmit={read} aria-label="Add devices from files">
        <label>
          Configuration, properties or device information as JSON <input name="files" type="file" accept=".json,application/json" multiple required />
        </label>
        <label>
          Name, where no file says it <input name="name" size={14} />
        </label>
        <button type="submit">Add the devices</button>
      </form>
      <Form
        label="Register it for an engine"
        fields={[
          { name: "name", label: "A device with an engine of its own", required: true, pattern: "[A-Za-z0-9_\\-]+" },
          { name: "qubits", label: "Qubits", type: "number", min: 1, max: 1000, value: 4, required: true },
        ]}
        submit={({ name, qubits }) => add({ documents: [{ name, topology: `line ${qubits}`, family: "OQTOPUS", gates: ["cx", "id", "rz", "sx", "x"] }] }, { provider: true })}
      />
    </section>
  );
}
