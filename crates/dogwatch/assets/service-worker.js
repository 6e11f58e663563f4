// Shows push messages while no page is open, and answers them. What a message holds is made in
// crates/dogwatch/src/channel/push.rs. Nothing is kept here, and no request of a page goes through here.

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
