// Files that a person picks, as the API takes them.

const LEFT_OUT = new Set([".git", ".venv", "venv", "__pycache__", ".ruff_cache", ".pytest_cache", "node_modules", "out"]);

/** The files of a picked folder in base64, by path inside of it; caches and environments are left out. */
export async function folder(picked: FileList): Promise<Record<string, string>> {
  const wanted = [...picked].map((file) => ({ file, path: file.webkitRelativePath.split("/").slice(1) })).filter(({ path }) => !path.some((part) => LEFT_OUT.has(part)));
  return Object.fromEntries(await Promise.all(wanted.map(async ({ file, path }) => [path.join("/"), await base64(file)])));
}

/** What a picked folder is called, as a name of a service may be. */
export function called(picked: FileList): string {
  const [name = ""] = picked[0]?.webkitRelativePath.split("/") ?? [];
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,?/, ""));
    reader.onerror = () => reject(new Error(`${file.name} can't be read.`));
    reader.readAsDataURL(file);
  });
}
