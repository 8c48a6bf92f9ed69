// Two phones of one shop and a server that is not always there.
import { expect, test } from "../support/fixtures";
import { Network, PORTALS } from "../support/network";
import {
  addCustomer,
  allOnServer,
  connect,
  gave,
  got,
  letIn,
  lines,
  openCustomer,
  openShop,
  openShopOfTwo,
  owes,
  pair,
  takeOut,
} from "../support/shop";

test("what one phone writes stands on the other a moment later", async ({ server, phone }) => {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await owes(helper.page, "₹670");
  await openCustomer(owner.page, "Priya");
  await got(helper.page, "300");
  await owes(owner.page, "₹370");
});

test("phones that worked apart agree when the server is back, without a touch", async ({
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);

  await server.kill();
  for (const [each, keys] of [
    [owner, ["100", "20"]],
    [helper, ["70", "50"]],
  ] as const) {
    await openCustomer(each.page, "Priya");
    await gave(each.page, keys[0]);
    await got(each.page, keys[1]);
    await each.page.reload();
  }
  await owes(owner.page, "₹750");
  await owes(helper.page, "₹690");

  await server.start();
  for (const each of [owner, helper]) {
    await expect(each.page.locator(".entries .entry")).toHaveCount(5, { timeout: 45_000 });
    await allOnServer(each.page);
    await owes(each.page, "₹770");
  }
  expect(await lines(owner.page)).toEqual(await lines(helper.page));
});

test("an answer that is lost after the server has stored the entries doubles nothing", async ({
  server,
  phone,
}) => {
  const between = new Network(server);
  await between.start();
  const owner = await phone("Meena", { url: between.url });
  await openShop(owner.page);
  await addCustomer(owner.page, "Priya");
  await connect(owner.page, server);
  await openCustomer(owner.page, "Priya");

  // The server stores the entry, and dies before its answer is on the way.
  const died = between.killAfterNextPush();
  await gave(owner.page, "100");
  await died;
  await gave(owner.page, "20");
  await server.start();

  await allOnServer(owner.page);
  await owes(owner.page, "₹120");
  const helper = await phone("Raju");
  await pair(owner.page, helper.page);
  await openCustomer(helper.page, "Priya");
  expect(await lines(helper.page)).toEqual(["₹20 = ₹120", "₹100 = ₹100"]);
  await between.stop();
});

test("what a phone writes after it was taken out waits for the owner", async ({
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);

  // Raju is away without a network while the owner takes his phone out.
  await helper.context.setOffline(true);
  await gave(helper.page, "500");
  await takeOut(owner.page);
  await helper.context.setOffline(false);

  await expect(helper.page.locator(".sync-chip")).toHaveText("needs you", { timeout: 45_000 });
  await owner.page.goto("/tasks");
  await expect(owner.page.getByText("₹500").first()).toBeVisible({ timeout: 30_000 });
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹670");

  await letIn(owner.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹1,170");
});

test("behind a sign-in page a phone says so, keeps everything, and sends it afterwards", async ({
  server,
  phone,
}) => {
  const between = new Network(server);
  await between.start();
  const owner = await phone("Meena", { url: between.url });
  await openShop(owner.page);
  await addCustomer(owner.page, "Priya");
  await connect(owner.page, server);
  await owner.isStored();

  let entries = 0;
  for (const [what, portal] of Object.entries(PORTALS)) {
    await test.step(what, async () => {
      between.portal = portal;
      // The app comes from the phone, whatever the network says.
      await openCustomer(owner.page, "Priya");
      await gave(owner.page, "10");
      entries += 1;
      await owner.page.goto("/more/sync");
      await expect(owner.page.getByText("the sign-in page of this Wi-Fi")).toBeVisible();
      await expect(owner.page.locator(".sync-chip")).toHaveText(`alone · ${entries} waiting`);
    });
  }

  between.portal = undefined;
  await owner.page.getByRole("button", { name: "Send now" }).click();
  await allOnServer(owner.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹40");
  await between.stop();
});

test("an emptied phone pairs anew, never shows a balance of zero, and takes nothing from the server", async ({
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await gave(helper.page, "100");
  await allOnServer(helper.page);
  const kept = await server.verify();
  await helper.empty();

  // Wherever it is opened, it shows no books, not even empty ones, and sends nothing.
  for (const at of ["/", "/reports", "/customer/2-3", "/tasks"]) {
    await helper.page.goto(at);
    await expect(helper.page.getByText("This phone had a shop in Pakka"), at).toBeVisible();
    await expect(helper.page.locator(".amount"), at).toHaveCount(0);
  }
  expect(await server.verify()).toEqual(kept);

  // The first books that it shows are all of them.
  const shown = await helper.page.evaluateHandle(() => {
    const willGet = new Set<string>();
    const look = () => {
      const amount = document.querySelector(".totals .amount")?.textContent;
      if (amount) willGet.add(amount);
    };
    const changes = { subtree: true, childList: true, characterData: true };
    new MutationObserver(look).observe(document, changes);
    return willGet;
  });
  await pair(owner.page, helper.page, { name: "Raju's phone again" });
  await expect(helper.page.locator(".totals .amount").first()).toHaveText("₹770");
  expect(await shown.evaluate((willGet) => [...willGet])).toEqual(["₹770"]);
  await openCustomer(helper.page, "Priya");
  await owes(helper.page, "₹770");
  expect(await lines(helper.page)).toEqual(["₹100 = ₹770", "₹670 = ₹670"]);
  await got(helper.page, "20");
  await allOnServer(helper.page);
  await openCustomer(owner.page, "Priya");
  await owes(owner.page, "₹750");

  // What it was before stays in the books, beside the phone that it is now.
  await owner.page.goto("/more/devices");
  await expect(owner.page.getByText("Helper's phone", { exact: true })).toBeVisible();
  await expect(owner.page.getByText("Raju's phone again")).toBeVisible();
});

test("a person who was erased is forgotten by a phone that was off, too", async ({
  server,
  phone,
}) => {
  const [owner, helper] = await openShopOfTwo(server, phone);
  await helper.context.setOffline(true);
  await openCustomer(owner.page, "Priya");
  const page = new URL(owner.page.url()).pathname;
  await got(owner.page, "670");
  await owner.page.getByRole("button", { name: "More", exact: true }).click();
  await owner.page.getByRole("button", { name: "Erase name and phone" }).click();
  await owner.page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: "Erase name and phone" })
    .click();
  await expect(owner.page.locator(".toast")).toHaveText("Name and phone are gone");
  await owner.page.goto(page);
  await expect(owner.page.getByRole("heading", { level: 1 })).toHaveText("Name erased");
  await allOnServer(owner.page);

  // It cannot know yet, and then it does.
  await expect(helper.page.getByRole("heading", { level: 1 })).toHaveText("Priya");
  await helper.context.setOffline(false);
  await expect(helper.page.getByRole("heading", { level: 1 })).toHaveText("Name erased", {
    timeout: 45_000,
  });
  await helper.reopen(page);
  await expect(helper.page.getByRole("heading", { level: 1 })).toHaveText("Name erased");
  expect(await lines(helper.page)).toEqual(["₹670 = ₹0", "₹670 = ₹670"]);
});
