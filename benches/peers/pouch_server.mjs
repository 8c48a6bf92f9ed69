// express-pouchdb as its own documentation sets it up, on LevelDB in the folder that is named.
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const express = require("express");
const PouchDB = require("pouchdb");
const expressPouchDB = require("express-pouchdb");

const folder = path.resolve(process.argv[2]);
const stored = PouchDB.defaults({ prefix: folder + path.sep });
const app = express();
app.use(
  "/",
  expressPouchDB(stored, {
    mode: "minimumForPouchDB",
    inMemoryConfig: true,
    logPath: path.join(folder, "log.txt"),
  }),
);
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${server.address().port}`);
});
