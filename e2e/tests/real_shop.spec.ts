// The bills of a real shop, loaded without a screen and looked at on a phone: the screen shows
// what a spreadsheet makes of the file.
import type { Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { REAL_SHOP, joinFrom, load } from "../support/device";
import { expect, test } from "../support/fixtures";

/** Sums over the rows, in paise. */
interface Spreadsheet {
  credit: number;
  cash: number;
  returns: number;
  customers: Map<string, number>;
}

async function spreadsheet(): Promise<Spreadsheet> {
  const rows = (await readFile(REAL_SHOP, "utf8")).trim().split(/\r?\n/).slice(1);
  const sheet: Spreadsheet = { credit: 0, cash: 0, returns: 0, customers: new Map() };
  for (const row of rows) {
    const [, , , quantity, , price, customer] = row.split(";");
    const amount = Number(quantity) * Math.round(Number(price!.replace(",", ".")) * 100);
    if (amount < 0) sheet.returns -= amount;
    else if (customer) sheet.credit += amount;
    else sheet.cash += amount;
    if (customer) sheet.customers.set(customer, (sheet.customers.get(customer) ?? 0) + amount);
  }
  return sheet;
}

/** The paise of an amount on the screen, without its direction. */
async function paise(page: Page, selector: string, label: string | RegExp): Promise<number> {
  const place = page.locator(selector, { hasText: label });
  const shown = await place.locator(".amount").last().innerText();
  const [rupees, part] = shown.replace(/[^\d.]/g, "").split(".");
  return Number(rupees) * 100 + Number((part ?? "").padEnd(2, "0"));
}

test("the balances, the till and the month of a real shop are the spreadsheet's", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(180_000);
  const sheet = await spreadsheet();
  const folder = path.join(dir, "device");
  expect(await load(server, REAL_SHOP, folder)).toContain("9955 of 10000 rows taken in, 45 left out");

  const { page } = await phone("Meena");
  await joinFrom(folder, page);

  const owed = [...sheet.customers.values()].filter((sum) => sum > 0);
  const willGet = owed.reduce((all, sum) => all + sum, 0);
  await expect
    .poll(() => paise(page, ".totals > div", "You will get"), { timeout: 60_000 })
    .toBe(willGet);

  // The busiest customers and one who returned more than was bought in these days.
  const bySum = [...sheet.customers].sort(([, a], [, b]) => a - b);
  for (const [number, sum] of [bySum[0]!, ...bySum.slice(-2)]) {
    await page.goto("/");
    await page.getByRole("searchbox").fill(number);
    await page.locator(".rows").getByText(`Customer ${number}`, { exact: true }).click();
    await expect
      .poll(() => paise(page, ".card.balance", /You will/))
      .toBe(Math.abs(sum));
  }

  await page.goto("/reports/month/2010-12");
  await expect.poll(() => paise(page, ".sums > div", "Given on khata")).toBe(sheet.credit);
  expect(await paise(page, ".sums > div", "Cash sales")).toBe(sheet.cash);
  expect(await paise(page, ".sums > div", "Goods returned")).toBe(sheet.returns);
  expect(await paise(page, ".sums > div", "Cash went up by")).toBe(sheet.cash);
});
