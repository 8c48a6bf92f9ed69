import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  // Two browsers and a server share the machine: one test at a time is steadier.
  workers: 1,
  // A test that passes only at the second attempt has found something.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // A journey has many steps, and the machine may be busy.
  timeout: 180_000,
  globalTimeout: 30 * 60_000,
  expect: { timeout: 20_000 },
  reporter: "list",
});
