// One phone, no server: the khata as it is kept on paper.
import { expect, test } from "../support/fixtures";
import {
  addCustomer,
  cashSale,
  gave,
  got,
  lines,
  openCustomer,
  openShop,
  owes,
  returned,
  save,
  type,
} from "../support/shop";

test("a week of the khata comes out to the rupee, with no network at all", async ({
  server,
  phone,
}) => {
  const { page } = await phone("Meena").then(async (meena) => {
    await meena.isStored();
    await server.kill();
    return meena;
  });
  await openShop(page);

  // Priya takes atta, oil and two packets of dal on credit.
  await addCustomer(page, "Priya", "9820012345");
  await gave(page, "250+180+2*120=");
  await owes(page, "₹670");
  // She pays 300 by UPI.
  await got(page, "300", { how: "UPI", reference: "412345678901" });
  await owes(page, "₹370");
  expect(await lines(page)).toEqual(["₹300 = ₹370", "₹670 = ₹670"]);
  await expect(page.getByText("412345678901")).toBeVisible();
  // A khata return lowers what she owes.
  await returned(page, "50", "Off the khata");
  await owes(page, "₹320");

  // Amit and Rohit buy for cash.
  await cashSale(page, "150+2*40");
  await cashSale(page, "2*25+60");
  // Amit brings a bottle back for cash: nobody owes anything for it.
  await addCustomer(page, "Amit");
  await returned(page, "40", "Cash");
  await owes(page, "₹0");

  // The khata says what the shop gets, and keeps saying it after the browser was closed.
  for (const look of ["before", "after the browser was closed"]) {
    await test.step(look, async () => {
      const now = look === "before" ? page : await phone("Meena").then((meena) => meena.reopen());
      await now.goto("/");
      await expect(now.locator(".totals .amount").first()).toHaveText("₹320");
      await openCustomer(now, "Priya");
      await owes(now, "₹320");
      expect(await lines(now)).toEqual(["₹50 = ₹320", "₹300 = ₹370", "₹670 = ₹670"]);
    });
  }
});

test("an entry takes three taps from the khata, and the digits", async ({ phone }) => {
  const { page } = await phone("Meena");
  await openShop(page);
  await addCustomer(page, "Priya");
  await page.goto("/");

  await page.locator(".rows").getByText("Priya").click(); // one
  await page.getByRole("link", { name: "You gave" }).click(); // two
  await type(page, "45");
  await page.getByRole("button", { name: "Save", exact: true }).click(); // three
  await expect(page.locator(".toast")).toBeVisible();
  await owes(page, "₹45");
});

test("a wrong entry is corrected in one step, and the old one stays, struck through", async ({
  phone,
}) => {
  const { page } = await phone("Meena");
  await openShop(page);
  await addCustomer(page, "Priya");
  await gave(page, "670");

  await page.locator(".entries .entry").click();
  await page.getByRole("link", { name: "Correct" }).click();
  for (let digit = 0; digit < 3; digit++) {
    await page.getByRole("button", { name: "Delete the last digit" }).click();
  }
  await type(page, "620");
  await save(page);

  await owes(page, "₹620");
  const struck = page.locator(".entry.struck");
  await expect(struck).toHaveCount(1);
  await expect(struck).toContainText("₹670");
  await expect(struck).toContainText("corrected");
  await struck.click();
  await expect(page.getByRole("dialog")).toContainText("Corrected to ₹620");
});

test("an entry that is taken back no longer counts, and says why", async ({ phone }) => {
  const { page } = await phone("Meena");
  await openShop(page);
  await addCustomer(page, "Priya");
  await gave(page, "670");

  await page.locator(".entries .entry").click();
  await page.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("dialog").getByText("Written twice").click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.locator(".toast")).toBeVisible();

  await owes(page, "₹0");
  await expect(page.locator(".entry.struck")).toHaveCount(1);
});

test("a slip in a quick sale is found in the day's entries and taken back", async ({ phone }) => {
  const { page } = await phone("Meena");
  await openShop(page);
  await cashSale(page, "150");
  await cashSale(page, "1100");

  await page.goto("/reports/day");
  await page.locator(".entries .entry").filter({ hasText: "₹1,100" }).click();
  await page.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.locator(".entry.struck")).toHaveCount(1);

  await page.goto("/reports/month/" + new Date().toISOString().slice(0, 7));
  await expect(page.getByText("Cash ₹150")).toBeVisible();
});

test("what cannot be is refused in words, and nothing is written", async ({ phone }) => {
  const { page } = await phone("Meena");
  await openShop(page);
  await addCustomer(page, "Priya");

  // More than one entry may carry: a slip of the thumb.
  await page.getByRole("link", { name: "You gave" }).click();
  const button = page.getByRole("button", { name: "Save", exact: true });
  await expect(button).toBeDisabled();
  await type(page, "10000001");
  await expect(button).toBeDisabled();
  await expect(page.locator(".reading .wrong")).toHaveText("This is more than the khata can hold.");
  await openCustomer(page, "Priya");
  await expect(page.locator(".entries .entry")).toHaveCount(0);

  // A phone number that cannot be one.
  await page.goto("/customer/new");
  await page.getByLabel("Name", { exact: true }).fill("Amit");
  await page.getByLabel("Phone", { exact: true }).fill("12ab");
  await button.click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.goto("/");
  await expect(page.locator(".rows .row")).toHaveCount(1);
});

test("every screen opens with the server gone, also after the browser was closed", async ({
  server,
  phone,
}) => {
  const meena = await phone("Meena");
  await openShop(meena.page);
  await addCustomer(meena.page, "Priya");
  await gave(meena.page, "45");
  const customer = new URL(meena.page.url()).pathname;
  await meena.isStored();
  await server.kill();
  await meena.reopen();

  const screens = [
    "/",
    customer,
    `${customer}/give`,
    `${customer}/get`,
    `${customer}/return`,
    `${customer}/statement`,
    `${customer}/details`,
    "/customer/new",
    "/sale",
    "/reports",
    `/reports/month/${new Date().toISOString().slice(0, 7)}`,
    "/reports/day",
    "/reports/past",
    "/reports/disputes",
    "/tasks",
    "/more",
    "/more/shop",
    "/more/devices",
    "/more/pair",
    "/more/staff",
    "/more/sync",
    "/more/storage",
  ];
  for (const screen of screens) {
    await meena.page.goto(screen);
    await expect(meena.page.locator(".sync-chip"), screen).toBeVisible();
    await expect(meena.page.locator("h1"), screen).not.toBeEmpty();
    await expect(meena.page.getByText("This page does not exist"), screen).toHaveCount(0);
  }
});

test("a phone whose browser was emptied asks before it begins a new khata", async ({ phone }) => {
  const meena = await phone("Meena");
  await openShop(meena.page);
  await meena.empty();
  await meena.page.goto("/");

  await expect(meena.page.getByText("This phone had a shop in Pakka")).toBeVisible();
  await expect(meena.page.getByRole("link", { name: "Yes, join my shop" })).toBeVisible();
});

test("a tab that dies right after the tick has lost nothing", async ({ phone }) => {
  const meena = await phone("Meena");
  await openShop(meena.page);
  await addCustomer(meena.page, "Priya");
  const customer = new URL(meena.page.url()).pathname;
  let owed = 0;
  for (let round = 1; round <= 5; round++) {
    await gave(meena.page, "10");
    owed += 10;
    await meena.killTab();
    await meena.page.goto(customer);
    await owes(meena.page, `₹${owed}`);
  }
  // The whole browser, as when the battery is pulled.
  await gave(meena.page, "10");
  await meena.kill();
  await meena.open(customer);
  await owes(meena.page, `₹${owed + 10}`);
});

test("two tabs of one phone write one khata", async ({ phone }) => {
  const meena = await phone("Meena");
  await openShop(meena.page);
  await addCustomer(meena.page, "Priya");
  const customer = new URL(meena.page.url()).pathname;
  const other = await meena.tab(customer);

  for (const page of [meena.page, other, meena.page, other]) await gave(page, "10");

  for (const page of [meena.page, other]) {
    await owes(page, "₹40");
    expect(await lines(page)).toEqual([
      "₹10 = ₹40",
      "₹10 = ₹30",
      "₹10 = ₹20",
      "₹10 = ₹10",
    ]);
  }
});
