// A server whose log is not the one that a phone has read: the phone takes nothing of it over, keeps
// all that it holds, and says what to do.
import path from "node:path";
import { expect, test } from "../support/fixtures";
import { allOnServer, gave, openCustomer, openShopOfTwo, owes } from "../support/shop";

test("a phone refuses a log that was set back and written on, and keeps everything", async ({
  dir,
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await helper.close();
  const backup = path.join(dir, "backup");
  await server.backUp(backup);

  // The server goes on, then is set back to the backup, and the helper writes on there.
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
