// Owner and helper both started alone, without a network, and want one khata.
import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import {
  addCustomer,
  allOnServer,
  connect,
  gave,
  got,
  openCustomer,
  openShop,
  owes,
} from "../support/shop";

/** What the khata says that the shop will get. */
async function toGet(page: Page): Promise<string> {
  await page.goto("/");
  return page.locator(".totals .amount").first().innerText();
}

/** The owner shows a code; gives it as it is typed. */
async function invite(owner: Page): Promise<string> {
  await owner.goto("/more/pair");
  await owner.getByText("Helper: makes entries").click();
  await owner.getByRole("button", { name: "Show a code" }).click();
  return owner.locator(".code").innerText();
}

test("a helper who started alone brings the khata along, and both phones show the same", async ({
  server,
  phone,
}, testInfo) => {
  const meena = await phone("Meena");
  const raju = await phone("Raju");
  const picture = async (name: string) => {
    const body = await raju.page.screenshot({ fullPage: true });
    await testInfo.attach(`${name}.png`, { body, contentType: "image/png" });
  };
  for (const each of [meena, raju]) await each.isStored();
  await server.kill();

  await openShop(meena.page, "Meena Stores");
  await addCustomer(meena.page, "Priya", "98765 43210");
  await gave(meena.page, "100");
  await openShop(raju.page, "Raju's own");
  await addCustomer(raju.page, "Priya", "9876543210");
  await gave(raju.page, "670");
  await got(raju.page, "300");
  await addCustomer(raju.page, "Rohit");
  await gave(raju.page, "55");
  expect(await toGet(meena.page)).toBe("₹100");
  expect(await toGet(raju.page)).toBe("₹425");

  await server.start();
  await connect(meena.page, server);
  const code = await invite(meena.page);
  await raju.page.goto("/more/sync");
  await raju.page.getByRole("link", { name: "Join a shop" }).click();
  await expect(raju.page.getByText("Raju's own: 3 entries, 2 customers")).toBeVisible();
  await expect(raju.page.getByText("Bring these entries into the other shop?")).toBeVisible();
  await picture("question");
  await raju.page.getByLabel("Code").fill(code);
  await raju.page.getByRole("button", { name: "Bring them and join" }).click();
  const digits = await raju.page.locator(".code").innerText();
  await expect(meena.page.locator(".code")).toHaveText(digits);
  await meena.page.getByRole("button", { name: "Let it in" }).click();
  await expect(meena.page.getByText("The phone is in")).toBeVisible();

  await expect(raju.page.getByRole("heading", { name: "Meena Stores" })).toBeVisible({
    timeout: 30_000,
  });
  await expect(raju.page.getByText("3 entries of your old khata are in this one now.")).toBeVisible(
    { timeout: 30_000 },
  );
  await picture("arrived");
  await allOnServer(raju.page);
  for (const { page } of [meena, raju]) {
    await page.goto("/");
    await expect(page.locator(".totals .amount").first()).toHaveText("₹525");
    await openCustomer(page, "Rohit");
    await owes(page, "₹55");
    // The same number in both shops: a question for a person, no silent merge.
    await page.goto("/tasks");
    await expect(page.getByText("Priya").first()).toBeVisible();
  }

  await raju.page.goto("/more/old");
  await picture("stays");
  const file = raju.page.waitForEvent("download");
  await raju.page.getByRole("button", { name: "Save the file" }).click();
  expect((await file).suggestedFilename()).toMatch(/^khata-.*\.pakka$/);
  await raju.page.getByRole("button", { name: "Remove the old khata" }).click();
  await raju.page
    .getByRole("dialog")
    .getByRole("button", { name: "Remove the old khata" })
    .click();
  await expect(raju.page.getByText("There is no old khata on this phone.")).toBeVisible();
  await raju.reopen();
  await expect(raju.page.getByRole("heading", { name: "Meena Stores" })).toBeVisible();
  await expect(raju.page.locator(".totals .amount").first()).toHaveText("₹525");
});

test("a phone that is switched off while it joins goes on, and works without a network", async ({
  server,
  phone,
}) => {
  test.slow();
  const meena = await phone("Meena");
  const raju = await phone("Raju");
  await openShop(meena.page, "Meena Stores");
  await addCustomer(meena.page, "Priya");
  await gave(meena.page, "100");
  await openShop(raju.page, "Raju's own");
  await addCustomer(raju.page, "Amit");
  await gave(raju.page, "40");
  await got(raju.page, "15");
  await raju.isStored();
  await connect(meena.page, server);

  const code = await invite(meena.page);
  await raju.page.goto("/join");
  await raju.page.getByLabel("Code").fill(code);
  await raju.page.getByRole("button", { name: "Bring them and join" }).click();
  await expect(raju.page.locator(".code")).toBeVisible();
  await meena.page.getByRole("button", { name: "Let it in" }).click();
  await expect(raju.page.getByRole("heading", { name: "Meena Stores" })).toBeVisible({
    timeout: 30_000,
  });
  // The battery is pulled, and the server is away when the phone comes back.
  await raju.kill();
  await server.kill();
  await raju.open();
  await openCustomer(raju.page, "Priya");
  await owes(raju.page, "₹100");
  await gave(raju.page, "5");
  await owes(raju.page, "₹105");

  await server.start();
  await raju.page.goto("/");
  await expect(raju.page.getByText("2 entries of your old khata are in this one now.")).toBeVisible(
    { timeout: 45_000 },
  );
  await allOnServer(raju.page);
  for (const { page } of [meena, raju]) {
    await page.goto("/");
    await expect(page.locator(".totals .amount").first()).toHaveText("₹130", { timeout: 45_000 });
    await openCustomer(page, "Amit");
    await owes(page, "₹25");
  }
});
