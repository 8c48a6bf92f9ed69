// The server's disk is lost, and an older copy of it put in its place: the phones bring back what
// it lost, and nobody has to do anything.
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { joinFrom, load } from "../support/device";
import { expect, test } from "../support/fixtures";
import {
  addCustomer,
  allOnServer,
  gave,
  got,
  letIn,
  lines,
  openCustomer,
  openShopOfTwo,
  owes,
  pair,
  takeOut,
} from "../support/shop";

/** The longest that phones need: they ask a server that was gone again after up to a minute. */
const COMES_BACK_MS = 90_000;

test("phones bring back all that a server lost: entries, names, a phone and a phone's removal", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(240_000);
  const [owner, helper] = await openShopOfTwo(server, phone);
  const backup = path.join(dir, "backup");
  await server.backUp(backup);

  // After the copy: a new phone with a new customer, and a phone that is taken out.
  await openCustomer(owner.page, "Priya");
  await allOnServer(owner.page);
  await gave(owner.page, "100");
  const late = await phone("Sunita");
  await pair(owner.page, late.page, { name: "Sunita's phone" });
  await late.isStored();
  await addCustomer(late.page, "Amit", "9820012345");
  await gave(late.page, "90");
  await allOnServer(late.page);
  await helper.context.setOffline(true);
  await gave(helper.page, "500");
  await takeOut(owner.page);

  // The disk is lost. Nobody stops writing for that.
  await server.stop();
  await server.putBack(backup);
  await openCustomer(owner.page, "Priya");
  await gave(owner.page, "30");
  await got(late.page, "20");
  await helper.context.setOffline(false);
  await server.start();

  for (const each of [owner, late]) {
    await expect(each.page.locator(".sync-chip")).toHaveText("all on server", {
      timeout: COMES_BACK_MS,
    });
  }
  // The server knows again whom it must not believe.
  await expect(helper.page.locator(".sync-chip")).toHaveText("needs you", {
    timeout: COMES_BACK_MS,
  });
  await letIn(owner.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹1,300");
  await openCustomer(late.page, "Priya");
  await owes(late.page, "₹1,300");
  expect(await lines(late.page)).toEqual(await lines(owner.page));
  await openCustomer(owner.page, "Amit");
  await owes(owner.page, "₹70");
  await allOnServer(owner.page);

  // A phone that was never here reads all of it from the server, names too.
  const next = await phone("Kabir");
  await pair(owner.page, next.page, { name: "Kabir's phone" });
  await openCustomer(next.page, "Amit");
  await owes(next.page, "₹70");
  await next.page.getByRole("link", { name: "Details" }).click();
  await expect(next.page.getByLabel("Phone", { exact: true })).toHaveValue("+919820012345");
  await openCustomer(next.page, "Priya");
  await owes(next.page, "₹1,300");
  await allOnServer(next.page);

  await server.stop();
  expect(await server.verify()).toContain(": good. ");
});

test("while a phone is awaited that may hold more, the others say so and go on", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(180_000);
  const [owner, helper] = await openShopOfTwo(server, phone);
  const backup = path.join(dir, "backup");
  await server.backUp(backup);
  await openCustomer(helper.page, "Priya");
  await gave(helper.page, "100");
  await allOnServer(helper.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹770");
  await owner.close();
  await helper.close();

  // The disk is lost. The owner's phone is there, the helper's is at the bottom of a bag.
  await server.stop();
  await server.putBack(backup);
  await server.start();
  await owner.open();
  await openCustomer(owner.page, "Priya");
  await gave(owner.page, "30");
  await expect(owner.page.locator(".sync-chip")).toHaveText("1 waiting");
  await owner.page.locator(".sync-chip").click();
  await expect(owner.page.getByRole("dialog")).toContainText("open Pakka on all phones");
  await owner.page.evaluate(() => localStorage.setItem("pakka.language", JSON.stringify("hi")));
  await owner.page.goto("/more/sync");
  await expect(owner.page.locator(".notice")).toContainText("दस मिनट");
  await owner.page.evaluate(() => localStorage.setItem("pakka.language", JSON.stringify("en")));

  // It is opened at last.
  await helper.open();
  await openCustomer(helper.page, "Priya");
  await openCustomer(owner.page, "Priya");
  for (const each of [owner, helper]) {
    await expect(each.page.locator(".sync-chip")).toHaveText("all on server", {
      timeout: COMES_BACK_MS,
    });
    await owes(each.page, "₹800");
  }
  expect(await lines(owner.page)).toEqual(await lines(helper.page));
  await server.stop();
  expect(await server.verify()).toContain(": good. ");
});

/** So many bills, on which nothing is but one thing, as a file to load. */
function bills(count: number): string {
  const head = "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country";
  const rows = Array.from({ length: count }, (_, bill) => {
    const at = `${1 + (bill % 28)}/12/2010 ${8 + (bill % 12)}:26`;
    const price = `${1 + (bill % 90)},${10 + (bill % 89)}`;
    return `${100_000 + bill};A1;SALT 1 KG;1;${at};${price};${1_000 + (bill % 50)};India`;
  });
  return [head, ...rows].join("\n");
}

test("one phone alone brings back the books of a year", async ({ dir, server, phone }) => {
  test.setTimeout(300_000);
  // The first bills, a phone that reads them, and the copy.
  const file = path.join(dir, "bills.csv");
  await writeFile(file, bills(100));
  const folder = path.join(dir, "device");
  await load(server, file, folder);
  const meena = await phone("Meena");
  await joinFrom(folder, meena.page);
  await allOnServer(meena.page);
  const backup = path.join(dir, "backup");
  await server.backUp(backup);

  // All the others, which only that phone holds in the end.
  await writeFile(file, bills(7_000));
  await load(server, file, folder);
  await meena.reopen();
  await allOnServer(meena.page);
  const totals = await meena.page.locator(".totals").innerText();
  await server.stop();
  const before = await server.verify();
  await server.putBack(backup);
  expect(await server.verify()).not.toEqual(before);
  await rm(folder, { recursive: true });

  await server.start();
  await expect
    .poll(() => server.verify(), { timeout: COMES_BACK_MS, intervals: [1_000] })
    .toEqual(before);
  await meena.reopen();
  await allOnServer(meena.page);
  expect(await meena.page.locator(".totals").innerText()).toEqual(totals);
});
