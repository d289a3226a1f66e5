import { useState } from "preact/hooks";
import { type Account, get, send, type Token } from "../api/client";
import { useLoaded } from "../api/live";
import { Form, useAct } from "../parts/forms";
import { Code, type Column, Copy, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

const APIS = ["ibm", "oqtopus", "planqk", "provider", "admin"];
const DEFAULT_TOKEN = "qumulus-local"; // documented: what a server on loopback starts with
const DAY_MILLISECONDS = 86_400_000;

const ACCOUNTS: Column<Account>[] = [
  { title: "Account", cell: ({ id }) => id, by: ({ id }) => id },
  { title: "Name", cell: ({ name }) => name ?? "–" },
  { title: "E-mail", cell: ({ email }) => email ?? "–" },
];

interface Made {
  api: string;
  secret: string;
}

/** Who is let in: tokens, accounts, and what clients need to come here. */
export function Tokens() {
  const tokens = useLoaded(() => get("/emulator/tokens"), 0);
  const accounts = useLoaded(() => get("/emulator/accounts"), 0);
  const [made, setMade] = useState<Made>();
  const { act, error } = useAct(() => {
    tokens.again();
    accounts.again();
  });
  const create = (api: string, account: unknown, days: unknown) =>
    act(async () => {
      const ends = days ? new Date(Date.parse((await get("/emulator/clock")).now) + Number(days) * DAY_MILLISECONDS).toISOString() : undefined;
      const created = await send<{ secret: string }>("POST", "/emulator/tokens", {}, { api, account, expires_at: ends });
      setMade({ api, secret: created!.secret });
    });
  const columns: Column<Token>[] = [
    { title: "Token", cell: (token) => <code>{token.id}</code> },
    { title: "Cloud", cell: (token) => token.api, by: (token) => token.api },
    { title: "Account", cell: (token) => token.account, by: (token) => token.account },
    { title: "Until", cell: (token) => (token.expires_at ? time(token.expires_at) : "for ever") },
    {
      title: "Revoke",
      cell: (token) =>
        token.built_in ? (
          "built in"
        ) : (
          <button type="button" aria-label={`Revoke ${token.id}`} onClick={() => act(() => send("DELETE", "/emulator/tokens/{tokenId}", { tokenId: token.id }))}>
            Revoke
          </button>
        ),
    },
  ];
  return (
    <>
      <Title text="Access" />
      <Problem error={error ?? tokens.error ?? accounts.error} />
      <Form
        label="Make a token"
        fields={[
          { name: "api", label: "Cloud", options: APIS },
          { name: "account", label: "Account", options: accounts.data?.accounts.map(({ id, name }) => [id, name ?? id] as const) ?? [] },
          { name: "days", label: "Days", type: "number", min: 0, placeholder: "for ever" },
        ]}
        submit={({ api, account, days }) => create(String(api), account, days)}
      />
      {made && (
        <p role="status">
          The new token is <code>{made.secret}</code> <Copy text={made.secret} /> It is shown only now.
        </p>
      )}
      {tokens.data && <Table rows={tokens.data.tokens} columns={columns} id={(token) => token.id} caption="Tokens that are let in" />}
      <Clients made={made} />
      <h2>Accounts</h2>
      <Form
        label="Make an account"
        fields={[
          { name: "id", label: "Identifier", required: true, pattern: "[A-Za-z0-9_\\-]+" },
          { name: "name", label: "Name" },
          { name: "email", label: "E-mail" },
        ]}
        submit={(account) => act(() => send("POST", "/emulator/accounts", {}, account))}
      />
      {accounts.data && <Table rows={accounts.data.accounts} columns={ACCOUNTS} id={({ id }) => id} caption="Accounts, each of which sees its own jobs" />}
    </>
  );
}

/** The variables that lead the clients of each cloud here, with the token that was made last for it. */
function Clients({ made }: { made: Made | undefined }) {
  const clients = useLoaded(() => get("/emulator/clients"), 0);
  return (
    <section aria-labelledby="clients">
      <h2 id="clients">What clients need</h2>
      <Problem error={clients.error} />
      <p class="note">
        These lines are for a shell. They have the token that you make here, else <code>{DEFAULT_TOKEN}</code>, which the default account has where nothing else was set. <code>qumulus env</code> prints them, too.
      </p>
      {clients.data?.clients.map(({ family, title, note, variables }) => (
        <details key={family} open={made?.api === family}>
          <summary>{title}</summary>
          <Code text={variables.map(({ name, value, credential }) => `export ${name}='${credential && made?.api === family ? made.secret : value.replace("{token}", DEFAULT_TOKEN)}'`).join("\n")} label={`Variables for ${title}`} />
          <p class="note">{note}</p>
        </details>
      ))}
    </section>
  );
}
