// The service worker: the app opens from the phone, whatever the network does.
//
// - One version at a time. Every file of a version is fetched and checked
//   against its hash before that version may be used, and it is used only when
//   the page asks for it, so files of two versions never meet.
// - The server's own paths are never touched: entries travel by the app itself.

// Written by `cargo xtask stage` after each build.
const BUILD = { version: "unbuilt", files: [] };

const CACHE_PREFIX = "pakka-app-";
const CACHE = CACHE_PREFIX + BUILD.version;
const SHELL = "/";
const SERVER_PATHS = ["/api/", "/healthz"];

self.addEventListener("install", (event) => event.waitUntil(storeEveryFile()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (SERVER_PATHS.some((path) => url.pathname.startsWith(path))) return;
  event.respondWith(answer(event.request, url));
});
self.addEventListener("message", (event) => {
  if (event.data?.type === "activate") self.skipWaiting();
});

/** Fails as a whole if one file fails; what was fetched is kept for the next try. */
async function storeEveryFile() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    BUILD.files.map(async (file) => {
      if (await cache.match(file.url)) return;
      await cache.put(file.url, await download(file));
    }),
  );
}

/** The browser refuses a body that does not have the hash, so a server that is
 *  replaced meanwhile cannot mix its files into this version. */
async function download({ url, integrity, named_by_content }) {
  const get = async (cache) => {
    const response = await fetch(url, { cache, integrity });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return response;
  };
  // The page has just loaded these: take them from the browser's own cache.
  if (named_by_content) return get("default").catch(() => get("reload"));
  return get("reload");
}

async function takeOver() {
  for (const name of await caches.keys()) {
    if (name.startsWith(CACHE_PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

async function answer(request, url) {
  const path = request.mode === "navigate" ? SHELL : url.pathname;
  const cache = await caches.open(CACHE);
  // A file that this version does not have is the server's to answer, or an error.
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request);
}
