// A server whose log is not the one that a phone has read: the phone takes nothing of it over, keeps
// all that it holds, and says what to do. What then goes on, goes on on the owner's word.
import path from "node:path";
import { type Phone, type Server, expect, test } from "../support/fixtures";
import { allOnServer, gave, lines, openCustomer, openShopOfTwo, owes } from "../support/shop";

/** The owner has written ₹100 on a server that was then set back, and the helper ₹50 since. */
async function rewritten(
  dir: string,
  server: Server,
  phone: (name: string) => Promise<Phone>,
): Promise<[Phone, Phone]> {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await helper.close();
  const backup = path.join(dir, "backup");
  await server.backUp(backup);
  await openCustomer(owner.page, "Priya");
  await gave(owner.page, "100");
  await allOnServer(owner.page);
  await owner.close();
  await server.stop();
  await server.putBackUnseen(backup);
  await server.start();
  await helper.open();
  await openCustomer(helper.page, "Priya");
  await gave(helper.page, "50");
  await allOnServer(helper.page);
  await owes(helper.page, "₹720");
  return [owner, helper];
}

test("a phone refuses a log that was set back and written on, and keeps everything", async ({
  dir,
  server,
  phone,
}) => {
  const [owner] = await rewritten(dir, server, phone);

  // The owner's phone has read another entry in that place.
  await owner.open();
  await expect(owner.page.getByRole("alert").getByText("another khata")).toBeVisible({
    timeout: 30_000,
  });
  await expect(owner.page.locator(".sync-chip")).toHaveText("needs you");
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹770");

  // It can be written on, and outlives a start of the app.
  await gave(owner.page, "30");
  await owner.reopen();
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹800");

  await owner.page.goto("/");
  await owner.page.getByRole("link", { name: "What to do" }).click();
  await expect(owner.page.getByRole("heading", { name: "Nothing is lost" })).toBeVisible();
  await expect(owner.page.getByText("pakka-server verify")).toBeVisible();
  const downloading = owner.page.waitForEvent("download");
  await owner.page.getByRole("button", { name: "Save the file" }).click();
  const download = await downloading;
  await expect(owner.page.getByText("The file is saved.")).toBeVisible();
  const file = path.join(dir, download.suggestedFilename());
  await download.saveAs(file);
  expect(file).toMatch(/khata-\d{2}-\d{2}-\d{4}-1\.pakka$/);
  const found = await server.verify(file);
  expect(found).toContain(": good. ");
  expect(found).toContain("1 that were not sent yet");

  // The words are there in Hindi, too.
  await owner.page.goto("/more");
  await owner.page.getByText("हिन्दी").click();
  await expect(owner.page.locator("html")).toHaveAttribute("lang", "hi");
  await owner.page.goto("/more/conflict");
  await expect(owner.page.getByRole("heading", { name: "कुछ नहीं खोया" })).toBeVisible();

  // Trying again changes nothing as long as the server is as it is.
  await owner.page.getByRole("button", { name: "फिर कोशिश करें" }).click();
  await expect(owner.page.getByText("pakka-server verify")).toBeVisible();
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹800");
});

test("on the owner's word the khata goes on, and every phone brings what it holds", async ({
  dir,
  server,
  phone,
}) => {
  test.setTimeout(180_000);
  const [owner, helper] = await rewritten(dir, server, phone);
  await owner.open();
  await openCustomer(owner.page, "Priya");
  await gave(owner.page, "30");
  await owner.page.goto("/more/conflict");
  await owner.page.getByRole("button", { name: "See what is missing" }).click();
  const question = owner.page.getByRole("dialog");
  await expect(question).toContainText("Entries that are on no phone any more do not come back");
  await question.getByRole("button", { name: "Go on", exact: true }).click();

  // What was lost, what was written since, and what could not be sent: all of it, once.
  await openCustomer(owner.page, "Priya");
  await openCustomer(helper.page, "Priya");
  for (const each of [owner, helper]) {
    await allOnServer(each.page);
    await owes(each.page, "₹850");
  }
  expect(await lines(helper.page)).toEqual(await lines(owner.page));
  await gave(helper.page, "5");
  await owes(owner.page, "₹855");
  await server.stop();
  expect(await server.verify()).toContain(": good. ");
});
