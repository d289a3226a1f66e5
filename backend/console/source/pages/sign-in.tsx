import { useState } from "preact/hooks";
import { signIn } from "../api/client";
import { Title } from "../parts/parts";

export function SignIn() {
  const [refused, setRefused] = useState<string>();
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get("token")).trim();
    const known = await signIn(text).catch(() => null);
    if (known === null) setRefused("The server does not answer. Is it running?");
    else if (!known) setRefused("The server does not know this token.");
  };
  return (
    <main id="main" class="sign-in">
      <Title text="Qumulus" />
      <form onSubmit={enter}>
        <label for="token">Administrator's token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="hint" />
        <p id="hint">
          It is what the server was started with in <code>QUMULUS_ADMIN_TOKEN</code>, and <code>qumulus-admin</code> where nothing else was set.
        </p>
        {refused && (
          <p class="problem" role="alert">
            {refused}
          </p>
        )}
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
