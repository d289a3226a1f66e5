import { useState } from "preact/hooks";
import { useAct } from "../parts/forms";
import { Problem, Title } from "../parts/parts";
import { Clock } from "./emulation/clock";
import { Faults } from "./emulation/faults";
import { Queues } from "./emulation/queues";
import { Scenarios } from "./emulation/scenarios";

/** What is under a person's control: time, and what goes wrong. */
export function Emulation() {
  const [turn, setTurn] = useState(0); // a scenario changes what the other parts show
  const { act, error } = useAct(() => setTurn((before) => before + 1));
  return (
    <>
      <Title text="Emulation" />
      <Problem error={error} />
      <Clock act={act} turn={turn} />
      <Scenarios act={act} />
      <Queues act={act} turn={turn} />
      <Faults act={act} turn={turn} />
    </>
  );
}
