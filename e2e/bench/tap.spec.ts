// A finger on the keypad while the phone reads a year, four times slower.
import { EVENTS, settled, test } from "./support/fixtures";
import { watch } from "./support/probe";
import { percentile, row } from "./support/row";

const SLOWER = 4;
/** Shorter ones are not reported by the browser. */
const SHORTEST_MS = 16;
const MAX_TAPS = 400;

test("taps during a sync", async ({ year }) => {
  const phone = await year.phone();
  const { page } = phone;
  await watch(page);
  await page.goto("/");
  await phone.slowDown(SLOWER);
  await year.knock(phone);
  await page.getByRole("navigation", { name: "Main" }).waitFor({ timeout: 60_000 });
  // By taps, as a person goes: the page stays the same.
  await page.getByRole("navigation", { name: "Main" }).locator('a[href="/sale"]').click();
  const key = page.locator(".keypad").getByRole("button", { name: "7", exact: true });
  const erase = page.locator(".keypad").getByRole("button").filter({ hasNotText: /[0-9]/ }).last();
  await key.waitFor();
  await page.evaluate(() => (window.noted.taps = {}));

  let reading = true;
  const read = settled(phone).then(() => (reading = false));
  let taps = 0;
  while (reading && taps < MAX_TAPS) {
    await (taps % 4 === 3 ? erase : key).tap();
    taps += 1;
  }
  await read;
  const long = Object.values(await page.evaluate(() => window.noted.taps));
  const all = [...long, ...Array<number>(Math.max(0, taps - long.length)).fill(SHORTEST_MS)];
  row({
    name: "phone_tap",
    what: `Tap to paint while ${EVENTS.toLocaleString("en-IN")} events are read, slowed ${SLOWER}×, 95 of 100`,
    unit: "ms",
    runs: [percentile(all, 95)],
    goal: 50,
    goalIs: "at most",
    more: { taps, p50_ms: percentile(all, 50), most_ms: Math.max(...all) },
  });
  await phone.close();
});
