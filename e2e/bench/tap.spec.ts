// A finger on the keypad while the phone reads a year, four times slower.
import type { Locator } from "@playwright/test";
import { EVENTS, type Year, settled, test } from "./support/fixtures";
import { watch } from "./support/probe";
import { percentile, row, size } from "./support/row";

const SLOWER = 4;
/** Shorter ones are not reported by the browser. */
const SHORTEST_MS = 16;
/** So many make a percentile mean something; one phone has read the year before that. */
const TAPS = size(200, 10);
const MAX_PHONES = 25;

test("taps during a sync", async ({ year }) => {
  const all: number[] = [];
  for (let phones = 0; all.length < TAPS && phones < MAX_PHONES; phones += 1) {
    all.push(...(await tapWhileReading(year)));
  }
  row({
    name: "phone_tap",
    what: `Tap to paint while ${EVENTS.toLocaleString("en-IN")} events are read, slowed ${SLOWER}×, 95 of 100`,
    unit: "ms",
    runs: [percentile(all, 95)],
    goal: 50,
    goalIs: "at most",
    more: { taps: all.length, p50_ms: percentile(all, 50), most_ms: Math.max(...all) },
  });
});

/** How long each tap of a new phone took until the screen had changed. */
async function tapWhileReading(year: Year): Promise<number[]> {
  const phone = await year.phone();
  const { page } = phone;
  await watch(page);
  await page.goto("/");
  await phone.isStored();
  await phone.slowDown(SLOWER);
  await year.knock(phone);
  const main = page.getByRole("navigation", { name: "Main" });
  await main.waitFor({ timeout: 60_000 });
  // By taps, as a person goes: the page stays the same.
  await main.locator('a[href="/sale"]').click();
  const keypad = page.locator(".keypad");
  const key = await middle(keypad.getByRole("button", { name: "7", exact: true }));
  const erase = await middle(keypad.getByRole("button").filter({ hasNotText: /[0-9]/ }).last());
  await page.evaluate(() => (window.noted.taps = {}));

  let reading = true;
  const read = settled(phone).then(() => (reading = false));
  let taps = 0;
  while (reading) {
    const { x, y } = taps % 4 === 3 ? erase : key;
    await page.touchscreen.tap(x, y);
    taps += 1;
  }
  await read;
  const long = Object.values(await page.evaluate(() => window.noted.taps));
  await phone.close();
  return [...long, ...Array<number>(Math.max(0, taps - long.length)).fill(SHORTEST_MS)];
}

async function middle(key: Locator): Promise<{ x: number; y: number }> {
  const box = await key.boundingBox();
  if (!box) throw new Error("the key is not on the screen");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
