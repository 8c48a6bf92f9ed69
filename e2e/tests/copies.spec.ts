// The storage of a phone is copied, or set back to an older copy, and both write on: both happened, so
// nothing is lost or doubled, and the owner is asked.
import path from "node:path";
import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { allOnServer, gave, got, lines, openCustomer, openShopOfTwo, owes } from "../support/shop";

/** The longest that phones need: they ask a server that was gone again after up to a minute. */
const COMES_BACK_MS = 90_000;

async function comesBack(page: Page): Promise<void> {
  await expect(page.locator(".sync-chip")).toHaveText("all on server", { timeout: COMES_BACK_MS });
}

async function speak(page: Page, language: "en" | "hi", at: string): Promise<void> {
  await page.evaluate(
    (code) => localStorage.setItem("pakka.language", JSON.stringify(code)),
    language,
  );
  await page.goto(at);
}

test("a phone and its copy both write on: all of it is in the books, and the owner is asked", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(240_000);
  const [owner, helper] = await openShopOfTwo(server, phone);
  await helper.close();
  await helper.copyDisk(path.join(dir, "phone-Second"));

  // Neither reaches the server, and each writes what the other does not know.
  await server.stop();
  const second = await phone("Second");
  await helper.open();
  await openCustomer(helper.page, "Priya");
  await gave(helper.page, "100");
  await owes(helper.page, "₹770");
  await openCustomer(second.page, "Priya");
  await gave(second.page, "30");
  await got(second.page, "200");
  await owes(second.page, "₹500");

  // The phone comes first, so the copy is the one that finds itself to be one.
  await second.context.setOffline(true);
  await server.start();
  await comesBack(helper.page);
  await second.context.setOffline(false);
  await second.page.goto("/");
  const strip = second.page.locator(".notice", { hasText: "a phone of its own" });
  await expect(strip).toContainText("nothing is lost", { timeout: COMES_BACK_MS });
  await comesBack(second.page);
  await speak(second.page, "hi", "/");
  await expect(second.page.locator(".notice")).toContainText("अब यह अलग फ़ोन है");
  await speak(second.page, "en", "/more/sync");
  await expect(strip).toBeVisible();

  const shown: string[][] = [];
  for (const each of [helper, second, owner]) {
    await openCustomer(each.page, "Priya");
    await comesBack(each.page);
    await owes(each.page, "₹600");
    shown.push(await lines(each.page));
  }
  expect(shown[0]).toHaveLength(4);
  expect(shown[1]).toEqual(shown[0]);
  expect(shown[2]).toEqual(shown[0]);

  // The owner finds the question without looking for it, and says yes.
  await owner.page.goto("/more");
  await expect(owner.page.getByRole("link", { name: "To look at" })).toContainText("1 waits for you");
  await speak(owner.page, "hi", "/more/devices");
  await expect(owner.page.getByText("क्या वह कॉपी आपकी है?")).toBeVisible();
  await speak(owner.page, "en", "/more/devices");
  const question = owner.page.locator(".card", { hasText: "A copy of this phone has written on" });
  await question.getByLabel("Name of this phone").fill("Second counter");
  await question.getByRole("button", { name: "Let it in" }).click();
  await expect(question).toHaveCount(0);
  await expect(owner.page.getByText("Second counter")).toBeVisible();
  await allOnServer(owner.page);

  // The copy has its name, says nothing of it any more, and goes on.
  await second.page.goto("/");
  await expect(strip).toHaveCount(0);
  await openCustomer(second.page, "Priya");
  await gave(second.page, "7");
  await allOnServer(second.page);
  for (const each of [helper, owner]) {
    await openCustomer(each.page, "Priya");
    await owes(each.page, "₹607");
  }
  await server.stop();
  expect(await server.verify()).toContain(": good. ");
});

test("a phone that was set back writes on, and keeps what it wrote before; the owner takes it out", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(240_000);
  const [owner, helper] = await openShopOfTwo(server, phone);
  await helper.close();
  const backup = path.join(dir, "backup");
  await helper.copyDisk(backup);
  await helper.open();
  await openCustomer(helper.page, "Priya");
  await gave(helper.page, "100");
  await allOnServer(helper.page);
  await helper.close();
  await helper.putBackDisk(backup);

  await server.stop();
  await helper.open();
  await openCustomer(helper.page, "Priya");
  await owes(helper.page, "₹670");
  await gave(helper.page, "30");
  await server.start();
  await helper.page.goto("/");
  await expect(helper.page.locator(".notice")).toContainText("came back from an older backup", {
    timeout: COMES_BACK_MS,
  });
  for (const each of [helper, owner]) {
    await openCustomer(each.page, "Priya");
    await comesBack(each.page);
    await owes(each.page, "₹800");
  }
  expect(await lines(helper.page)).toEqual(await lines(owner.page));

  await owner.page.goto("/tasks");
  await owner.page.getByRole("button", { name: "Take this phone out" }).click();
  const sure = owner.page.getByRole("dialog").last();
  await sure.getByRole("button", { name: "Take this phone out" }).click();
  await expect(owner.page.getByText("Nothing waits for you.")).toBeVisible();
  await allOnServer(owner.page);
  await helper.page.reload();
  await expect(helper.page.locator(".sync-chip")).toHaveText("needs you", {
    timeout: COMES_BACK_MS,
  });
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹800");
  await server.stop();
  expect(await server.verify()).toContain(": good. ");
});
