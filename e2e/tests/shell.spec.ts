// The shell of the app: it opens without a server, and changes version with care.
import { expect, test } from "../support/fixtures";

test("the app opens again when the server is gone, also after the browser was closed", async ({
  server,
  phone,
}) => {
  const priya = await phone("Priya");
  await expect(priya.page.locator("#loading")).toHaveCount(0);
  await priya.isStored();
  await server.kill();

  await priya.page.reload();
  await expect(priya.page.locator("#loading")).toHaveCount(0);

  await priya.reopen("/settings");
  await expect(priya.page).toHaveTitle("Pakka");
  await expect(priya.page.locator("#loading")).toHaveCount(0);
});

test("the server's own paths are never answered from the phone", async ({ server, phone }) => {
  const priya = await phone("Priya");
  await priya.isStored();
  await server.kill();

  const answer = await priya.page.evaluate(() =>
    fetch("/api/v1/sync", { method: "GET" }).then(
      () => "answered",
      () => "no answer",
    ),
  );
  expect(answer).toBe("no answer");
});

test("a file that the app does not have is an error, not a page", async ({ server }) => {
  const response = await fetch(`${server.url}/frontend-0000000000000000_bg.wasm`);
  expect(response.status).toBe(404);
});
