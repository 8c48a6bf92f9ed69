// The device without a screen, as a person starts it from the command line.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Page, expect } from "@playwright/test";
import type { Server } from "./server";

/** The bills of a real shop. */
export const REAL_SHOP = fileURLToPath(
  new URL("../../shared/testdata/online-retail-2010-12.csv", import.meta.url),
);

const BINARY =
  process.env.PAKKA_DEVICE ??
  fileURLToPath(new URL("../../target/release/pakka-device", import.meta.url));
const TYPED_CODE = /or type ([0-9A-Z]{4}) ([0-9A-Z]{4}) there/;

/** Fills a new shop with the bills in a file and gives what was printed. */
export async function load(server: Server, file: string, folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(BINARY, [
    "load",
    ...["--server", server.url],
    ...["--claim", server.claimCode],
    ...["--file", file],
    ...["--folder", folder],
  ]);
  return stdout;
}

/** Lets a phone into the shop of the device in this folder. */
export async function joinFrom(folder: string, page: Page): Promise<void> {
  const door = new Door();
  try {
    const code = await door.open(folder);
    await page.getByRole("link", { name: "Yes, join my shop" }).click();
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Join" }).click();
    await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible({ timeout: 60_000 });
  } finally {
    door.close();
  }
}

/** An open door: the first phone that types the code is let in. */
export class Door {
  #process: ChildProcess | undefined;

  /** Gives the code that is to be typed. */
  async open(folder: string): Promise<string> {
    const child = spawn(BINARY, ["pair", "--confirm", "--folder", folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    return new Promise((resolve, reject) => {
      let printed = "";
      child.stdout.on("data", (chunk: Buffer) => {
        printed += chunk;
        const code = TYPED_CODE.exec(printed);
        if (code) resolve(`${code[1]}${code[2]}`);
      });
      child.once("error", reject);
      child.once("exit", (status) => reject(new Error(`pairing ended with ${status}:\n${printed}`)));
    });
  }

  close(): void {
    this.#process?.kill();
  }
}
