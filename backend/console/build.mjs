// Builds the console: one script, a style sheet, and what a page fetches only when it draws something.
import { build } from "esbuild";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";

const files = "../qumulus/console/files";

/** The licences of all packages that went into the scripts, which ask to be handed on. */
async function licences({ inputs }) {
  const names = Object.keys(inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  const texts = [];
  for (const name of [...new Set(names.filter(Boolean))].sort()) {
    const file = (await readdir(`node_modules/${name}`)).find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} has no licence`);
    texts.push(`${name}\n\n${(await readFile(`node_modules/${name}/${file}`, "utf8")).trim()}\n`);
  }
  return texts.join("\n---\n\n");
}

await rm(files, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { console: "source/main.tsx" },
  outdir: files,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  chunkNames: "[name]-[hash]",
  metafile: true,
});
await writeFile(`${files}/licences.txt`, await licences(metafile));
for (const name of ["index.html", "icon.svg"]) await cp(`source/${name}`, `${files}/${name}`);
