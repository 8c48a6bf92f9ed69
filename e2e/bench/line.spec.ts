// A new phone on a slow line: how soon one can work with it, and how long its history takes.
import { EVENTS, settled, test } from "./support/fixtures";
import { letIn, listed, watch } from "./support/probe";
import { row } from "./support/row";
import { SlowLine } from "./support/slow_line";

const BITS_PER_SECOND = 100_000;

test("new phone at 100 kbit/s", async ({ year }) => {
  const line = new SlowLine(year.server.url);
  await line.start();
  const phone = await year.phone(line.url);
  const { page } = phone;
  await watch(page);
  await page.goto("/");
  await phone.isStored();
  line.limit(BITS_PER_SECOND);
  await year.knock(phone);
  await page.getByRole("navigation", { name: "Main" }).waitFor({ timeout: 120_000 });
  const paired = await letIn(page);
  const usable = (await listed(page)).listed;
  await settled(phone, 8 * 60_000);
  const full = await page.evaluate(() => performance.now());
  const what = `New phone at ${BITS_PER_SECOND / 1000} kbit/s, ${EVENTS.toLocaleString("en-IN")} events`;
  row({
    name: "phone_line_usable",
    what: `${what}: from let in to a list`,
    unit: "s",
    runs: [(usable - paired) / 1000],
    goal: 5,
    goalIs: "at most",
  });
  row({
    name: "phone_line_full",
    what: `${what}: full history`,
    unit: "s",
    runs: [(full - paired) / 1000],
    goal: 130,
    goalIs: "at most",
  });
  await phone.close();
  await line.stop();
});
