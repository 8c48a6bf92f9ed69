// A hundred thousand entries onto a phone and one customer's statement back, beside PouchDB in the
// same browser.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { EVENTS, settled, test } from "./support/fixtures";
import { letIn, listed, watch } from "./support/probe";
import { row, size } from "./support/row";

const POUCHDB = fileURLToPath(
  new URL("../../benches/peers/node_modules/pouchdb/dist/pouchdb.min.js", import.meta.url),
);
const RUNS = size(3, 1);
const CUSTOMERS = 300;
const BATCH = 1000;

test("import and statement", async ({ year }) => {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const phone = await year.phone();
    const { page } = phone;
    await watch(page);
    await page.goto("/");
    await year.knock(phone);
    await listed(page);
    const started = await letIn(page);
    await settled(phone);
    await page.locator("a.row").first().click();
    await page.locator(".card.balance").waitFor();
    await page.locator('a[href$="/statement"]').click();
    await page.locator("dl.sums .total").waitFor();
    const ended = await page.evaluate(() => performance.now());
    ours.push((ended - started) / 1000);
    theirs.push(await pouch(phone.page));
    await phone.close();
  }
  row({
    name: "phone_import",
    what: `${EVENTS.toLocaleString("en-IN")} entries onto a phone, one statement back`,
    unit: "s",
    runs: ours,
    goal: 1.5,
    goalIs: "at most",
  });
  row({
    name: "phone_import_rate",
    what: "The same, entries in a second",
    unit: "events/s",
    runs: ours.map((seconds) => EVENTS / seconds),
    goal: 20,
    goalIs: "times peer",
    peer: { name: "PouchDB 9.0.0", runs: theirs.map((seconds) => EVENTS / seconds) },
  });
});

/** The same number of documents, an entry each, and those of one customer by an index. */
async function pouch(page: import("@playwright/test").Page): Promise<number> {
  const script = await readFile(POUCHDB);
  const http = createServer((asked, answer) => {
    if (asked.url === "/pouchdb.js") answer.setHeader("content-type", "text/javascript").end(script);
    else answer.setHeader("content-type", "text/html").end('<script src="/pouchdb.js"></script>');
  }).listen(0, "127.0.0.1");
  await once(http, "listening");
  await page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`);
  const seconds = await page.evaluate(
    async ({ events, customers, batch }) => {
      interface Pouch {
        bulkDocs(docs: object[]): Promise<unknown>;
        allDocs(options: object): Promise<{ rows: { doc: { amount: number } }[] }>;
        destroy(): Promise<unknown>;
      }
      const Made = (window as unknown as { PouchDB: new (name: string) => Pouch }).PouchDB;
      const database = new Made("shop");
      const started = performance.now();
      const pad = (number: number) => String(number).padStart(7, "0");
      for (let first = 0; first < events; first += batch) {
        const docs = Array.from({ length: Math.min(batch, events - first) }, (_, index) => {
          const number = first + index;
          const customer = `1-${number % customers}`;
          return {
            // The id begins with the customer: the statement is a range of the one index that it
            // has anyway, which is the fastest way.
            _id: `${pad(number % customers)}/${pad(number)}`,
            kind: number % 3 === 0 ? "payment" : "credit",
            customer,
            amount: 100 * ((number * 7919) % 500),
            on: 20_484 - (number % 365),
            at: 1_790_000_000_000 + number,
            by: "1-2",
          };
        });
        await database.bulkDocs(docs);
      }
      const prefix = `${pad(7)}/`;
      const statement = await database.allDocs({
        include_docs: true,
        startkey: prefix,
        endkey: `${prefix}\ufff0`,
      });
      const sum = statement.rows.reduce((all, { doc }) => all + doc.amount, 0);
      const took = (performance.now() - started) / 1000;
      if (!(sum > 0)) throw new Error("an empty statement");
      await database.destroy();
      return took;
    },
    { events: EVENTS, customers: CUSTOMERS, batch: BATCH },
  );
  http.closeAllConnections();
  http.close();
  return seconds;
}
