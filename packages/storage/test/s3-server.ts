import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import S3rver from "s3rver";

export const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

/** Start a server that speaks S3 on a free port of the loopback, with the bucket `documents`. */
export async function startS3Server() {
  const directory = await mkdtemp(join(tmpdir(), "ballast-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: "documents" }],
  });
  server.logger.info = () => undefined; // even silent, it complains about lines after its end
  writeWhole(server.store);
  const { port } = await server.run();

  const stop = async () => {
    if (!server.httpServer.listening) return;
    const closed = server.close();
    server.httpServer.closeAllConnections();
    await closed;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** S3 replaces an object at once; s3rver writes in place and answers before its file is closed. */
function writeWhole(store: S3rver["store"]): void {
  const getMetadata = store.getMetadata.bind(store);
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
  store.getMetadata = (bucket, key) => inTurn(() => getMetadata(bucket, key));
  store.putObject = async ({ bucket, key, content, metadata }) => {
    const body = Buffer.isBuffer(content) ? content : await buffer(content);
    const md5 = createHash("md5").update(body).digest("hex");
    return inTurn(async () => {
      const path = store.getResourcePath(bucket, key, "object");
      const fresh = `${path}.${randomUUID()}`;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(fresh, body);
      await rename(fresh, path);
      await store.putMetadata(bucket, key, metadata, md5);
      return { size: body.byteLength, md5 };
    });
  };
}
