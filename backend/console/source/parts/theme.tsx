import { signal } from "@preact/signals";

const KEY = "qumulus.theme";
const CHOICES = ["system", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

const choice = signal<Choice>("system");
choose((localStorage.getItem(KEY) as Choice | null) ?? "system");

function choose(wanted: Choice): void {
  choice.value = CHOICES.includes(wanted) ? wanted : "system";
  localStorage.setItem(KEY, choice.value);
  document.documentElement.style.colorScheme = choice.value === "system" ? "light dark" : choice.value;
}

export function Theme() {
  return (
    <label class="theme">
      Theme{" "}
      <select value={choice.value} onChange={(event) => choose(event.currentTarget.value as Choice)}>
        {CHOICES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
