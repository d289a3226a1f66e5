import { render } from "preact";
import { useEffect } from "preact/hooks";
import { LocationProvider, Route, Router, useLocation } from "preact-iso/router";
import { live, signInAgain, signOut, token } from "./api/client";
import { Compare } from "./pages/compare";
import { Device } from "./pages/device";
import { Devices } from "./pages/devices";
import { Emulation } from "./pages/emulation";
import { Job } from "./pages/job";
import { Jobs } from "./pages/jobs";
import { Overview } from "./pages/overview";
import { OneService } from "./pages/service";
import { Services } from "./pages/services";
import { Sessions } from "./pages/sessions";
import { SignIn } from "./pages/sign-in";
import { StatePage } from "./pages/state";
import { System } from "./pages/system";
import { Tokens } from "./pages/tokens";
import { Theme } from "./parts/theme";
import "./style.css";

const VIEWS = [
  { path: "/console", title: "Overview" },
  { path: "/console/jobs", title: "Jobs" },
  { path: "/console/devices", title: "Devices" },
  { path: "/console/sessions", title: "Sessions" },
  { path: "/console/services", title: "Services" },
  { path: "/console/emulation", title: "Emulation" },
  { path: "/console/tokens", title: "Access" },
  { path: "/console/state", title: "State" },
  { path: "/console/system", title: "System" },
];

function Navigation() {
  const { path } = useLocation();
  const here = (to: string) => (to === "/console" ? path.replace(/\/$/, "") === to : path.startsWith(to));
  return (
    <nav aria-label="Console">
      <a class="brand" href="/console">
        <img src="/console/files/icon.svg" alt="" width="28" height="28" />
        Qumulus
      </a>
      <ul>
        {VIEWS.map(({ path: to, title }) => (
          <li key={to}>
            <a href={to} aria-current={here(to) ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
      <div class="aside">
        <a href="/docs" target="_blank" rel="noopener">
          API reference
        </a>
        <Theme />
        <span class="live" role="status">
          {live.value ? "● Live" : "○ Connecting"}
        </span>
        <button type="button" class="plain" onClick={signOut}>
          Sign out
        </button>
      </div>
    </nav>
  );
}

function Missing() {
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        <a href="/console">Go to the overview.</a>
      </p>
    </>
  );
}

function Console() {
  useEffect(() => void signInAgain(), []);
  if (token.value === undefined) return <p class="waiting">Signing in …</p>;
  if (token.value === null) return <SignIn />;
  return (
    <LocationProvider scope="/console">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Navigation />
      <main id="main" tabIndex={-1}>
        <Router>
          <Route path="/console" component={Overview} />
          <Route path="/console/jobs" component={Jobs} />
          <Route path="/console/jobs/:id" component={Job} />
          <Route path="/console/compare" component={Compare} />
          <Route path="/console/devices" component={Devices} />
          <Route path="/console/devices/:name" component={Device} />
          <Route path="/console/sessions" component={Sessions} />
          <Route path="/console/services" component={Services} />
          <Route path="/console/services/:name" component={OneService} />
          <Route path="/console/emulation" component={Emulation} />
          <Route path="/console/tokens" component={Tokens} />
          <Route path="/console/state" component={StatePage} />
          <Route path="/console/system" component={System} />
          <Route default component={Missing} />
        </Router>
      </main>
    </LocationProvider>
  );
}

render(<Console />, document.getElementById("console")!);
