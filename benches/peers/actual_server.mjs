// Actual's sync server, as its package starts it, on SQLite in the folder that is named.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

const folder = path.resolve(process.argv[2]);
const looking = createServer().listen(0, "127.0.0.1");
await once(looking, "listening");
const { port } = looking.address();
looking.close();
await once(looking, "close");

for (const name of ["server-files", "user-files"]) mkdirSync(path.join(folder, name));
Object.assign(process.env, {
  NODE_ENV: "production",
  ACTUAL_DATA_DIR: folder,
  ACTUAL_SERVER_FILES: path.join(folder, "server-files"),
  ACTUAL_USER_FILES: path.join(folder, "user-files"),
  ACTUAL_HOSTNAME: "127.0.0.1",
  ACTUAL_PORT: String(port),
});
await import("./node_modules/@actual-app/sync-server/build/app.js");

const url = `http://127.0.0.1:${port}`;
for (;;) {
  const health = await fetch(`${url}/health`).catch(() => undefined);
  if (health?.ok) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(`ready ${url}`);
