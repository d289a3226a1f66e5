import { useState } from "preact/hooks";
import { get, send, type Token } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Copy, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

const APIS = ["ibm", "oqtopus", "planqk", "provider", "admin"];

export function Tokens() {
  const tokens = useLoaded(() => get("/emulator/tokens"), 0);
  const accounts = useLoaded(() => get("/emulator/accounts"), 0);
  const [made, setMade] = useState<string>();
  const [error, setError] = useState<Error>();
  const act = async (action: () => Promise<unknown>) => {
    try {
      setError(undefined);
      await action();
      tokens.again();
      accounts.again();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  const create = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void act(async () => {
      const created = await send<{ secret: string }>("POST", "/emulator/tokens", {}, { api: form.get("api"), account: form.get("account") ?? undefined });
      setMade(created?.secret);
    });
  };
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
      <form class="filters" onSubmit={create}>
        <label>
          Cloud{" "}
          <select name="api">
            {APIS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Account{" "}
          <select name="account">
            {accounts.data?.accounts.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name ?? each.id}
              </option>
            ))}
          </select>
        </label>
        <button type="submit">Make a token</button>
      </form>
      {made && (
        <p role="status">
          The new token is <code>{made}</code> <Copy text={made} /> It is shown only now.
        </p>
      )}
      {tokens.data && <Table rows={tokens.data.tokens} columns={columns} id={(token) => token.id} caption="Tokens that are let in" />}
    </>
  );
}
