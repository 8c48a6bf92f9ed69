// A record of the phone's storage is damaged: what stood there comes again from the server.
import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { gave, allOnServer, openCustomer, openShopOfTwo, owes } from "../support/shop";

/** Spoils what the phone has stored of the log, all of it. */
async function spoilLog(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const answer = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
    const name = names.find((name) => /^pakka-[0-9a-f]{8}-/.test(name));
    const db = await answer(indexedDB.open(name ?? "no shop"));
    const tx = db.transaction(["segments", "snapshot"], "readwrite");
    const log = tx.objectStore("segments");
    const keys = await answer(log.getAllKeys());
    for (const key of keys) log.put(new Uint8Array([1, 2, 3]), key);
    tx.objectStore("snapshot").clear();
    await new Promise((resolve) => {
      tx.oncomplete = resolve;
    });
    db.close();
    return keys.length;
  });
}

test("what is damaged in a phone's storage comes again from the server", async ({
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await gave(helper.page, "80");
  await allOnServer(helper.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹750");

  expect(await spoilLog(helper.page)).toBeGreaterThan(0);
  await helper.page.goto("/");
  await openCustomer(helper.page, "Priya");
  await owes(helper.page, "₹750");
  await helper.page.goto("/more/storage");
  await expect(helper.page.getByText("came again from the server")).toBeVisible();

  // It is written in its place, and the phone goes on as ever.
  await openCustomer(helper.page, "Priya");
  await gave(helper.page, "20");
  await allOnServer(helper.page);
  await helper.reopen();
  await openCustomer(helper.page, "Priya");
  await owes(helper.page, "₹770");
});
