// Arrays as NumPy writes them (.npy), compressed by zlib and in base64: what the typed results of Qiskit Runtime consist of.
export interface Numbers {
  shape: number[];
  values: ArrayLike<number>; // of complex numbers: real and imaginary part in turn
  complex: boolean;
}

const READERS: Record<string, (buffer: ArrayBuffer) => ArrayLike<number>> = {
  "|u1": (buffer) => new Uint8Array(buffer),
  "|b1": (buffer) => new Uint8Array(buffer),
  "|i1": (buffer) => new Int8Array(buffer),
  "<i4": (buffer) => new Int32Array(buffer),
  "<i8": (buffer) => Array.from(new BigInt64Array(buffer), Number),
  "<u8": (buffer) => Array.from(new BigUint64Array(buffer), Number),
  "<f4": (buffer) => new Float32Array(buffer),
  "<f8": (buffer) => new Float64Array(buffer),
  "<c8": (buffer) => new Float32Array(buffer),
  "<c16": (buffer) => new Float64Array(buffer),
};

/** Decode an array. Throws where it is no array of numbers, or would be larger than `most` bytes. */
export async function decoded(base64: string, most: number): Promise<Numbers> {
  const file = await inflated(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), most);
  const view = new DataView(file.buffer, file.byteOffset);
  const [start, length] = file[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder("latin1").decode(file.subarray(start, start + length));
  const type = /'descr': '([^']+)'/.exec(header)?.[1] ?? "";
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
  const read = READERS[type];
  if (!read || header.includes("'fortran_order': True")) throw new Error(`an array of the type ${type}`);
  return { shape, values: read(file.slice(start + length).buffer), complex: type.startsWith("<c") };
}

async function inflated(packed: Uint8Array<ArrayBuffer>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) throw new Error("more than can be shown");
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
