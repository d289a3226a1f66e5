// Where a job runs, with the page of it.

const SERVICE = "service:";
const BESIDE = "program:";

/** A link to the device, or to the service whose execution it is. */
export function Place({ device }: { device: string }) {
  if (device.startsWith(SERVICE)) return <a href={`/console/services/${device.slice(SERVICE.length)}`}>{device.slice(SERVICE.length)}</a>;
  const name = device.replace(BESIDE, "");
  return <a href={`/console/devices/${name}`}>{name}</a>;
}

/** What jobs of a service name as their device. */
export function queue(service: string): string {
  return SERVICE + service;
}
