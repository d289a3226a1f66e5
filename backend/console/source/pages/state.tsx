import { useState } from "preact/hooks";
import { get, type Held, type Namespace, send, type Snapshot } from "../api/client";
import { useLoaded } from "../api/live";
import { Form, useAct } from "../parts/forms";
import { type Column, Facts, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

const NAME = "[a-z0-9]([a-z0-9\\-]*[a-z0-9])?";
const HELD: Column<Held>[] = [
  { title: "Account", cell: (held) => held.account, by: (held) => held.account },
  { title: "Kind", cell: (held) => held.kind, by: (held) => held.kind },
  { title: "Jobs", cell: (held) => held.count.toLocaleString(), by: (held) => held.count, number: true },
  { title: "MiB", cell: (held) => (held.bytes / 2 ** 20).toFixed(1), by: (held) => held.bytes, number: true },
  { title: "Oldest", cell: (held) => time(held.oldest), by: (held) => held.oldest ?? null },
];

/** What the server remembers: who has what, what was kept of it, and the clouds of their own beside it. */
export function StatePage() {
  const storage = useLoaded(() => get("/emulator/storage"), 0);
  const snapshots = useLoaded(() => get("/emulator/snapshots"), 0);
  const namespaces = useLoaded(() => get("/emulator/namespaces"), 0);
  const { act, error } = useAct(() => [storage, snapshots, namespaces].forEach(({ again }) => again()));
  const [told, setTold] = useState<string>();
  const reset = () => {
    if (confirm("Forget all jobs, sessions, added tokens, device settings and faults? This can't be undone."))
      void act(async () => {
        await send("POST", "/emulator/reset");
        setTold("Everything is forgotten.");
      });
  };
  const snapshotColumns: Column<Snapshot>[] = [
    { title: "Snapshot", cell: ({ name }) => name, by: ({ name }) => name },
    { title: "Kept", cell: ({ made_at: made }) => time(made), by: ({ made_at: made }) => made },
    { title: "MiB", cell: ({ bytes }) => (bytes / 2 ** 20).toFixed(1), by: ({ bytes }) => bytes, number: true },
    { title: "Remove", cell: ({ name }) => <Remove what={name} act={() => act(() => send("DELETE", "/emulator/snapshots/{snapshot}", { snapshot: name }))} /> },
  ];
  const namespaceColumns: Column<Namespace>[] = [
    { title: "Namespace", cell: ({ name }) => name, by: ({ name }) => name },
    { title: "Clients call it at", cell: ({ url }) => <code>{url}</code> },
    { title: "Remove", cell: ({ name }) => <Remove what={name} act={() => act(() => send("DELETE", "/emulator/namespaces/{namespace}", { namespace: name }))} /> },
  ];
  return (
    <>
      <Title text="State" />
      <Problem error={error ?? storage.error} />
      {storage.data && (
        <>
          <Facts
            facts={[
              ["Kept", storage.data.keep || "everything"],
              ["Quota of an account", storage.data.quota || "none"],
            ]}
          />
          <Table rows={storage.data.held} columns={HELD} id={(held) => `${held.account} ${held.kind}`} caption="Who has what stored" />
        </>
      )}
      <h2>Snapshots</h2>
      <Problem error={snapshots.error} />
      <p class="note">A snapshot is the whole state as it is now. A namespace can begin with it.</p>
      <Form
        label="Keep a snapshot"
        fields={[
          { name: "snapshot", label: "Name", required: true, pattern: NAME, placeholder: "monday" },
          { name: "namespace", label: "Of the namespace", pattern: NAME, placeholder: "default" },
        ]}
        submit={({ snapshot, ...body }) => act(() => send("PUT", "/emulator/snapshots/{snapshot}", { snapshot: String(snapshot) }, body))}
      />
      {snapshots.data && snapshots.data.snapshots.length > 0 && <Table rows={snapshots.data.snapshots} columns={snapshotColumns} id={({ name }) => name} caption="Snapshots" />}
      <h2>Namespaces</h2>
      <Problem error={namespaces.error} />
      <p class="note">A namespace is a cloud of its own in this server. It shares no job, device setting or fault with others.</p>
      <Form
        label="Make a namespace"
        fields={[
          { name: "namespace", label: "Name", required: true, pattern: NAME, placeholder: "tests-1" },
          { name: "fork", label: "With the state of", pattern: NAME, placeholder: "nothing" },
          { name: "snapshot", label: "With the snapshot", pattern: NAME, placeholder: "none" },
          { name: "replace", label: "in place of one of that name", type: "checkbox" },
        ]}
        submit={({ namespace, ...body }) => act(() => send("PUT", "/emulator/namespaces/{namespace}", { namespace: String(namespace) }, body))}
      />
      {namespaces.data && namespaces.data.namespaces.length > 0 && <Table rows={namespaces.data.namespaces} columns={namespaceColumns} id={({ name }) => name} caption="Namespaces" />}
      <h2>Start afresh</h2>
      {told && <p role="status">{told}</p>}
      <button type="button" class="danger" onClick={reset}>
        Forget everything
      </button>
    </>
  );
}

function Remove({ what, act }: { what: string; act: () => void }) {
  return (
    <button type="button" aria-label={`Remove ${what}`} onClick={() => confirm(`Remove ${what}? What is in it is gone.`) && act()}>
      Remove
    </button>
  );
}
