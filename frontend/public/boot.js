// Starts the app and keeps its shell up to date.
//
// The page and the app speak through attributes of <html> and events of the
// window, so that neither has to wait for the other:
//
//   <html data-update="ready">    a new version is stored and waits
//   <html data-install="ready">   the browser offers to install the app
//   event "pakka-shell"           one of the two has changed
//   event "pakka-update"          from the app: nothing is being typed, change
//                                 to the new version now (the page reloads)
//   event "pakka-install"         from the app: show the browser's install prompt

const UPDATE_CHECK_INTERVAL_MS = 60 * 60 * 1000;

const html = document.documentElement;
const script = document.querySelector("script[data-wasm]");
let shown = false;

function announce(name, value) {
  if (value) html.dataset[name] = value;
  else delete html.dataset[name];
  window.dispatchEvent(new Event("pakka-shell"));
}

async function startApp() {
  window.addEventListener("error", sayItDidNotStart);
  // The app appends itself to the page once it has its words.
  new MutationObserver((_, observer) => {
    observer.disconnect();
    window.removeEventListener("error", sayItDidNotStart);
    window.addEventListener("error", (event) => sayItStopped(event.error));
    window.addEventListener("unhandledrejection", (event) => sayItStopped(event.reason));
    shown = true;
    document.getElementById("loading")?.remove();
  }).observe(document.body, { childList: true });

  try {
    // Compiled while the scripts come.
    const wasm = WebAssembly.compileStreaming(fetch(script.dataset.wasm));
    wasm.catch(() => {}); // said below
    const app = await import(script.dataset.js);
    await app.default({ module_or_path: wasm });
  } catch (error) {
    console.error(error);
    sayItDidNotStart();
  }
}

/** A fault in the app has stopped it: what is on the screen answers no tap any more. */
function sayItStopped(error) {
  if (!(error instanceof WebAssembly.RuntimeError) || document.getElementById("stopped")) return;
  const hindi = html.lang === "hi";
  const words = document.createElement("p");
  words.textContent = hindi
    ? "ऐप में गड़बड़ हुई और वह रुक गया। जिस पर सही का निशान दिखा, वह सब सुरक्षित है।"
    : "The app had a fault and stopped. Everything that showed its tick is safe.";
  const again = document.createElement("button");
  again.type = "button";
  again.className = "button primary";
  again.textContent = hindi ? "फिर से खोलें" : "Open it again";
  again.addEventListener("click", () => window.location.reload());
  const stopped = document.createElement("dialog");
  stopped.id = "stopped";
  stopped.append(words, again);
  stopped.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(stopped);
  stopped.showModal();
}

function sayItDidNotStart() {
  const words = document.getElementById("loading-words");
  if (!words) return;
  words.textContent = navigator.language.startsWith("hi")
    ? "ऐप नहीं खुला। आपका लिखा हुआ सब सुरक्षित है। नेटवर्क देखकर पेज फिर से खोलें।"
    : "The app did not open. Everything you wrote is safe. Check the network and open the page again.";
  document.getElementById("loading").removeAttribute("aria-busy");
}

async function keepUpToDate() {
  // Absent on an insecure page; the app itself tells the person why.
  const workers = navigator.serviceWorker;
  if (!workers) return;

  let asked = false;
  // A page that had no worker is claimed by the first one: that is no update.
  let controlled = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    if (asked) window.location.reload();
    else if (controlled) announce("update", "ready"); // another tab asked
    controlled = true;
  });

  const registration = await workers.register("/sw.js", { updateViaCache: "none" });

  const changeOver = () => {
    asked = true;
    if (registration.waiting) registration.waiting.postMessage({ type: "activate" });
    else window.location.reload();
  };
  const newVersionIsStored = () => {
    if (!workers.controller) return;
    announce("update", "ready");
    // A version that does not start has nothing to lose: the next one mends it.
    if (!shown) changeOver();
  };
  window.addEventListener("pakka-update", changeOver);

  if (registration.waiting) newVersionIsStored();
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") newVersionIsStored();
    });
  });

  // An installed app stays open for weeks and the browser alone would not ask.
  let checkedAt = Date.now();
  const checkForUpdate = () => {
    if (document.visibilityState !== "visible") return;
    if (Date.now() - checkedAt < UPDATE_CHECK_INTERVAL_MS) return;
    checkedAt = Date.now();
    registration.update().catch(() => {}); // no network: the next look will do
  };
  document.addEventListener("visibilitychange", checkForUpdate);
  window.addEventListener("online", checkForUpdate);
}

function offerInstall() {
  let prompt = null;
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    prompt = event;
    announce("install", "ready");
  });
  window.addEventListener("pakka-install", () => {
    prompt?.prompt(); // works once: the browser makes a new event if it was refused
    prompt = null;
    announce("install", null);
  });
  window.addEventListener("appinstalled", () => {
    prompt = null;
    announce("install", null);
  });
}

/** The colours that the person chose, before the app that knows them is there. */
function showTheme() {
  try {
    const theme = JSON.parse(localStorage.getItem("pakka.theme"));
    if (theme && theme !== "auto") html.dataset.theme = theme;
  } catch {
    // No storage, or nothing that can be read: as the phone is set.
  }
}

showTheme();
offerInstall();
await startApp();
await keepUpToDate();
