// What is used of d3-force, which brings no types.
declare module "d3-force" {
  interface Force {
    strength(value: number): this;
    distance(value: number): this;
  }
  interface Simulation {
    force(name: string, force: unknown): this;
    stop(): this;
    tick(count: number): this;
  }
  export function forceSimulation(nodes: object[]): Simulation;
  export function forceManyBody(): Force;
  export function forceLink(links: { source: number; target: number }[]): Force;
  export function forceCenter(): unknown;
}
