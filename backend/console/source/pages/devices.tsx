import { useState } from "preact/hooks";
import { type Device, get } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

const COLUMNS: Column<Device>[] = [
  { title: "Device", cell: (device) => <a href={`/console/devices/${device.name}`}>{device.name}</a>, by: (device) => device.name },
  { title: "Status", cell: (device) => <span class={`state ${device.settings.online ? "succeeded" : "failed"}`}>{device.settings.online ? "online" : "offline"}</span>, by: (device) => Number(!device.settings.online) },
  { title: "Qubits", cell: (device) => device.n_qubits, by: (device) => device.n_qubits, number: true },
  { title: "Processor", cell: (device) => device.family ?? (device.kind === "simulator" ? "ideal simulator" : "–"), by: (device) => device.family },
  { title: "Wait or run", cell: (device) => device.pending, by: (device) => device.pending, number: true },
  { title: "Calibrated", cell: (device) => time(device.calibrated_at), by: (device) => device.calibrated_at },
];

export function Devices() {
  const [text, setText] = useState("");
  const loaded = useLoaded(() => get("/emulator/devices"), 0, () => true);
  const shown = loaded.data?.devices.filter(({ name, family }) => `${name} ${family ?? ""}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <Title text="Devices">
        <p>{loaded.data && `${loaded.data.devices.length} in all`}</p>
      </Title>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Name or processor <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      </form>
      <Problem error={loaded.error} />
      {shown && <Table rows={shown} columns={COLUMNS} id={(device) => device.name} caption="Devices" />}
    </>
  );
}
