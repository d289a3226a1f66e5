import { useState } from "preact/hooks";
import { get, send } from "../../api/client";
import { useLoaded } from "../../api/live";
import type { Act } from "../../parts/forms";
import { Problem } from "../../parts/parts";

/** What begins with one click: it takes back all faults first. */
export function Scenarios({ act }: { act: Act }) {
  const ready = useLoaded(() => get("/emulator/scenario/ready"), 0);
  const [begun, setBegun] = useState<string>();
  const [text, setText] = useState("");
  const begin = (scenario: unknown, title: string) =>
    act(async () => {
      await send("PUT", "/emulator/scenario", {}, scenario);
      setBegun(title);
    });
  const beginOwn = (event: SubmitEvent) => {
    event.preventDefault();
    void act(async () => {
      const scenario = JSON.parse(text) as { name?: string };
      await begin(scenario, scenario.name ?? "The scenario");
    });
  };
  return (
    <section aria-labelledby="scenarios">
      <h2 id="scenarios">Scenarios</h2>
      <Problem error={ready.error} />
      <p role="status">{begun ? `${begun} has begun.` : "A scenario sets clock, devices, queues and faults at once, and takes back all faults that were there."}</p>
      <dl class="scenarios">
        {ready.data?.scenarios.map(({ name, scenario }) => (
          <div key={name}>
            <dt>
              <button type="button" onClick={() => begin(scenario, scenario.name)}>
                {scenario.name}
              </button>
            </dt>
            <dd>
              {scenario.description}{" "}
              <button type="button" class="plain" aria-label={`Change ${scenario.name} first`} onClick={() => setText(JSON.stringify(scenario, null, 2))}>
                Change it first
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <details open={text !== ""}>
        <summary>A scenario of your own</summary>
        <form onSubmit={beginOwn}>
          <label class="wide">
            The scenario as JSON
            <textarea rows={10} required spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <button type="submit">Begin it</button>
        </form>
      </details>
    </section>
  );
}
