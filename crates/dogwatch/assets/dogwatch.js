// Smoother, never needed: renews the live part of a page when the server says that it looks different,
// and makes a handset ring. Without this file every page and form works by loading anew.

// It keeps what the page of what is going on said last, for whoever has no connection.
if (document.querySelector("header nav")) navigator.serviceWorker?.register("/service-worker.js").catch(() => {});

const live = document.getElementById("live");
const isHandset = live !== null && "handset" in live.dataset;

// ---- the ring of a handset ----

let heard = new Set();
let audio;

function ring() {
  // Before the first touch a browser allows neither.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([400, 200, 400, 200, 400]);
  if (audio?.state !== "running") return;
  for (const [at, pitch] of [[0, 880], [0.25, 660], [0.6, 880], [0.85, 660]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.25;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  }
}

function rings() {
  return [...live.querySelectorAll("[data-ring]")].map((call) => call.dataset.ring);
}

function listen() {
  const now = rings();
  if (now.some((name) => !heard.has(name))) ring();
  heard = new Set(now);
  document.title = (now.length ? "☎ " : "") + document.title.replace(/^☎ /, "");
}

// A phone that sleeps doesn't ring.
function stayAwake() {
  if (audio?.state === "running" && !document.hidden) navigator.wakeLock?.request("screen").catch(() => {});
}

if (isHandset && window.AudioContext) {
  const button = document.getElementById("sound");
  audio = new AudioContext();
  const show = () => {
    button.hidden = audio.state === "running";
    stayAwake();
  };
  audio.addEventListener("statechange", show);
  show();
  button.addEventListener("click", async () => {
    await audio.resume();
    ring();
  });
}

if (isHandset) {
  listen();
  // A phone goes on ringing until somebody answers.
  setInterval(() => { if (rings().length) ring(); }, 4000);
}

// ---- the live part of a page ----

// What makes a node the same as another, whatever it says.
function identity(node) {
  const own = ["id", "action", "href"].map((name) => node.getAttribute?.(name)).find(Boolean);
  return `${node.nodeName} ${own ?? ""}`;
}

// A second 6 that is asked for isn't taken away: its form is that of the first, with one more 6.
function isQuestion(old, fresh) {
  const first = identity(fresh);
  return first.startsWith("FORM") && first.endsWith("/keys/6") && identity(old) === `${first}6`;
}

// Makes `old` look like `fresh`. What is the same stays, and so do focus, selection and a scrolled text.
function renew(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (fresh.nodeType === Node.ELEMENT_NODE) {
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }
  const nodes = [...fresh.childNodes];
  nodes.forEach((node, index) => {
    let at = old.childNodes[index];
    const kept = node.id ? old.children.namedItem(node.id) : null;
    if (kept && kept !== at) {
      old.insertBefore(kept, at);
      at = kept;
    }
    if (!at) old.append(node);
    else if (identity(at) === identity(node)) renew(at, node);
    else if (!isQuestion(at, node)) old.insertBefore(node, at);
  });
  while (old.childNodes.length > nodes.length) old.lastChild.remove();
}

// For those who listen to the page: only what is new, and not that time passes.
let spoken = "";

function speak() {
  const words = [...live.querySelectorAll("h1, .headline, .standing, .told li:first-child")];
  const now = words.map((element) => element.textContent.trim()).join(". ");
  if (spoken && spoken !== now) document.getElementById("spoken").textContent = now;
  spoken = now;
}

// The newest message of a handset.
const lastTold = () => live.querySelector(".told li")?.id;
let told = live && lastTold();

// The fragment that came last, and whether a finger is down: the page doesn't move under it.
let latest = null;
let pressing;

function update() {
  if (latest === null || pressing) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = latest;
  latest = null;
  const held = live.contains(document.activeElement) ? document.activeElement : null;
  const place = held && identity(held.form ?? held);
  renew(live, fresh.content);
  if (held && document.activeElement !== held) {
    const same = [...live.querySelectorAll("form, a")].find((element) => identity(element) === place);
    (same?.querySelector("button") ?? same)?.focus();
  }
  if (isHandset) {
    // What was said of the last key is no answer to a new ring, and may not hold after a new message.
    const isTold = lastTold() !== told;
    if ((isTold || rings().some((name) => !heard.has(name))) && !live.querySelector(".sure")) {
      document.querySelector(".said")?.remove();
    }
    told = lastTold();
    listen();
  }
  speak();
}

function press(milliseconds) {
  clearTimeout(pressing);
  pressing = setTimeout(() => {
    pressing = undefined;
    update();
  }, milliseconds);
}

// The server says something every 15 seconds, if only that it is there. After this silence the connection
// is dead, even if nobody has said so: a phone that changed its network, a server that was cut off.
const SILENCE = 40_000;
const lost = document.getElementById("lost");
let source = null;
let retry, silence;

function expectLife() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    lost.hidden = false;
    connect();
  }, SILENCE);
}

function alive() {
  lost.hidden = true;
  expectLife();
}

function disconnect() {
  clearTimeout(retry);
  clearTimeout(silence);
  source?.close();
  source = null;
}

function connect() {
  disconnect();
  const own = new EventSource(live.dataset.live);
  source = own;
  expectLife();
  own.addEventListener("heartbeat", alive);
  own.addEventListener("fragment", (event) => {
    alive();
    latest = event.data;
    update();
  });
  own.addEventListener("error", () => {
    if (source !== own) return;
    lost.hidden = false;
    // After a refusal a browser doesn't try again by itself.
    if (own.readyState === EventSource.CLOSED) retry = setTimeout(() => reconnect(own), 3000);
  });
}

async function reconnect(own) {
  const answer = await fetch(live.dataset.live, { method: "HEAD" }).catch(() => null);
  if (source !== own) return;
  // Signed out, or nothing here any more: the page itself says what to do.
  if (answer && answer.status >= 400 && answer.status < 500) location.reload();
  else connect();
}

if (live?.dataset.live) {
  speak();
  live.addEventListener("pointerdown", () => press(3000));
  for (const name of ["pointerup", "pointercancel"]) live.addEventListener(name, () => press(300));
  // A browser holds six connections to one server. A page that nobody looks at gives its own back; only a
  // handset listens on.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) connect();
    else if (!isHandset) disconnect();
    stayAwake();
  });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  addEventListener("online", connect);
  if (isHandset || !document.hidden) connect();
}
