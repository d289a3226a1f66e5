// Drawings by Observable Plot, which is fetched when the first one is shown.
import type * as PlotLibrary from "@observablehq/plot";
import { useEffect, useRef } from "preact/hooks";

export type Plot = typeof PlotLibrary;
let library: Promise<Plot> | undefined;

interface Props {
  label: string; // what is drawn, for who does not see it
  draw: (plot: Plot, width: number) => Element;
  redraw: unknown; // draws again when this differs
}

export function Drawing({ label, draw, redraw }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    const show = async () => {
      const plot = await (library ??= import("@observablehq/plot"));
      if (gone || !place.current) return;
      const drawn = draw(plot, place.current.clientWidth);
      // The drawing is one picture with one label; the names of its marks would say less, on elements that may have none.
      for (const mark of drawn.querySelectorAll("g[aria-label]")) mark.removeAttribute("aria-label");
      place.current.replaceChildren(drawn);
    };
    void show();
    const resized = new ResizeObserver(() => void show());
    resized.observe(place.current!);
    return () => {
      gone = true;
      resized.disconnect();
    };
  }, [redraw]);
  return <div class="drawing" role="img" aria-label={label} ref={place} />;
}
