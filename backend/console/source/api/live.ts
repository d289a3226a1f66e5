// Data of the server in a component: loaded when it is shown, loaded anew when something happens to it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Changes, onChange } from "./client";

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  again: () => void;
}

/**
 * Load with `load`, and again whenever `key` differs or a change concerns it.
 * What arrives late for an older key is dropped; while one request runs, further changes wait for one more.
 */
export function useLoaded<T>(load: () => Promise<T>, key: unknown, concerns?: (changed: Changes) => boolean): Loaded<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<Error>();
  const now = useRef({ load, concerns, turn: 0, busy: false, more: false });
  Object.assign(now.current, { load, concerns });

  const again = useCallback(async () => {
    const mine = now.current;
    if (mine.busy) {
      mine.more = true;
      return;
    }
    mine.busy = true;
    do {
      mine.more = false;
      const turn = mine.turn;
      try {
        const loaded = await mine.load();
        if (turn === mine.turn) {
          setData(loaded);
          setError(undefined);
        } else mine.more = true;
      } catch (failed) {
        if (turn === mine.turn) setError(failed as Error);
        else mine.more = true;
      }
    } while (mine.more);
    mine.busy = false;
  }, []);

  useEffect(() => {
    now.current.turn++;
    void again();
  }, [JSON.stringify(key)]);

  const follows = concerns !== undefined;
  useEffect(() => {
    if (!follows) return undefined;
    return onChange((changed) => {
      if (now.current.concerns?.(changed)) void again();
    });
  }, [follows]);

  return { data, error, again: () => void again() };
}
