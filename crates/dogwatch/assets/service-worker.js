// Shows push messages while no page is open, and answers them. What a message holds is made in
// crates/dogwatch/src/channel/push.rs. Without a connection it shows what the page of what is going on said last; that is
// all that is kept here, and it goes with the session.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function show(message) {
  const actions = [{ action: "open", title: "Open" }];
  if (message.answer && message.label) actions.unshift({ action: "answer", title: message.label });
  return self.registration.showNotification(message.title, {
    body: message.body,
    tag: message.tag,
    renotify: true,
    requireInteraction: Boolean(message.stays),
    vibrate: [400, 200, 400, 200, 400],
    icon: "/favicon.ico",
    data: message,
    actions,
  });
}

self.addEventListener("push", (event) => {
  let message;
  try {
    message = event.data.json();
  } catch {
    // A browser that hears of a message and shows none is not told of any more.
    message = { title: "Dogwatch has something to tell you", body: "Open it to see what.", tag: "unreadable", open: "/" };
  }
  event.waitUntil(show(message));
});

// What was done is said when the server has stored it, and not before.
async function answer(message) {
  let said;
  try {
    const response = await fetch(message.answer, {
      method: "POST",
      credentials: "omit",
      headers: { accept: "application/json" },
    });
    said = response.ok ? (await response.json()).said : undefined;
  } catch {
    // Said below.
  }
  if (said !== undefined) return show({ ...message, body: said, answer: null, stays: false });
  return show({ ...message, title: `NOT ANSWERED: ${message.title}`, body: `Dogwatch can't be reached. ${message.body}` });
}

const KEPT = "now";

async function now(request) {
  try {
    const response = await fetch(request);
    if (response.ok) await (await caches.open(KEPT)).put("/", response.clone());
    // Whoever is not signed in any more has nothing to look at.
    else if (response.status === 401) await caches.delete(KEPT);
    return response;
  } catch (error) {
    const kept = await (await caches.open(KEPT)).match("/");
    if (!kept) throw error;
    const seen = new Date(kept.headers.get("date")).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const said = `<p class="lost" role="alert">No connection. This is what was known on ${seen}; it may be different now.</p>`;
    const headers = new Headers();
    for (const name of ["content-type", "content-security-policy"]) headers.set(name, kept.headers.get(name) ?? "");
    return new Response((await kept.text()).replace("<main>", `<main>${said}`), { headers });
  }
}

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  const { pathname, search } = new URL(event.request.url);
  if (pathname === "/" && search === "" && event.request.method === "GET") event.respondWith(now(event.request));
  if (pathname === "/sign-out") event.waitUntil(caches.delete(KEPT));
});

async function open(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const shown = windows.find((window) => new URL(window.url).pathname === path);
  return shown ? shown.focus() : self.clients.openWindow(path);
}

self.addEventListener("notificationclick", (event) => {
  const message = event.notification.data;
  event.notification.close();
  event.waitUntil(event.action === "answer" ? answer(message) : open(message.open));
});
