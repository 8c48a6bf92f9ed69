// Opening the app with a year in it, on a phone that is six times slower.
import type { Phone } from "../support/phone";
import { EVENTS, settled, test } from "./support/fixtures";
import { listed, watch } from "./support/probe";
import { median, row, size } from "./support/row";

const SLOWER = 6;
const RUNS = size(5, 1);
const events = EVENTS.toLocaleString("en-IN");

test("cold start", async ({ year, read }) => {
  const seen = [];
  for (let run = 0; run < RUNS; run += 1) {
    const phone = await year.phone(undefined, read);
    const noted = await start(phone);
    await settled(phone);
    const full = await phone.page.evaluate(() => performance.now());
    seen.push({ ...noted, full: full - noted.began });
    await phone.close();
  }
  const runs = seen.map((one) => one.listed - one.began);
  row({
    name: "phone_start",
    what: `Cold start with ${events} events, slowed ${SLOWER}×: from the app's start to its list`,
    unit: "ms",
    runs,
    goal: 300,
    goalIs: "at most",
    more: {
      from_opening_ms: median(seen.map((one) => one.listed)),
      whole_history_ms: median(seen.map((one) => one.full)),
      frozen_ms: median(seen.map((one) => one.frozen)),
    },
  });
});

test("all events counted anew", async ({ year, read }) => {
  const seen = [];
  for (let run = 0; run < RUNS; run += 1) {
    const phone = await year.phone(undefined, read);
    await forgetSnapshots(phone);
    seen.push(await start(phone));
    await phone.close();
  }
  row({
    name: "phone_refold",
    what: `${events} events folded anew, no snapshot, slowed ${SLOWER}×`,
    unit: "ms",
    runs: seen.map((one) => one.listed - one.began),
    goal: 2000,
    goalIs: "at most",
  });
  row({
    name: "phone_refold_frozen",
    what: "The longest time meanwhile that the screen does not answer",
    unit: "ms",
    runs: seen.map((one) => one.frozen),
  });
});

async function start(phone: Phone) {
  await watch(phone.page);
  await phone.slowDown(SLOWER);
  await phone.page.goto("/");
  return listed(phone.page);
}

/** On a page of the origin that is not the app. */
async function forgetSnapshots(phone: Phone): Promise<void> {
  await phone.page.goto("/manifest.webmanifest");
  await phone.page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name ?? ""));
      if (database.objectStoreNames.contains("snapshot")) {
        await done(database.transaction("snapshot", "readwrite").objectStore("snapshot").clear());
      }
      database.close();
    }
  });
}
