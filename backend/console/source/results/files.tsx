// What a run left beside its result: the files of an execution.
import { bytes, get } from "../api/client";
import { useLoaded } from "../api/live";
import { Code, Problem } from "../parts/parts";
import { download } from "../parts/download";
import { useAct } from "../parts/forms";

const SHOWN_BYTES = 20_000;
const AS_TEXT = /\.(json|txt|csv|md|log|ya?ml)$/;

export function Files({ job }: { job: string }) {
  const files = useLoaded(async () => {
    const { files: names } = await get("/emulator/jobs/{jobId}/files", { jobId: job });
    return Promise.all(names.map(async (name) => ({ name, text: AS_TEXT.test(name) ? await text(job, name) : null })));
  }, job);
  const { act, error } = useAct();
  const save = (name: string) => act(async () => download(name, (await bytes("/emulator/jobs/{jobId}/files/{file}", { jobId: job, file: name }, Infinity))!, "application/octet-stream"));
  return (
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <Problem error={error ?? files.error} />
      {files.data?.length === 0 && <p>It left no files.</p>}
      {files.data?.map(({ name, text: shown }) => (
        <div key={name}>
          <p>
            <code>{name}</code>{" "}
            <button type="button" class="copy" aria-label={`Download ${name}`} onClick={() => save(name)}>
              Download
            </button>
          </p>
          {shown !== null && <Code text={shown} label={name} />}
        </div>
      ))}
    </section>
  );
}

/** A file as text; null where it is too large to be shown. */
async function text(jobId: string, file: string): Promise<string | null> {
  const content = await bytes("/emulator/jobs/{jobId}/files/{file}", { jobId, file }, SHOWN_BYTES);
  return content && new TextDecoder().decode(content);
}
