// Switches push messages on and off for this browser. The page says what can't be done.

const place = document.getElementById("push");
const state = document.getElementById("push-state");
const on = document.getElementById("push-on");
const off = document.getElementById("push-off");

function key() {
  const text = place.dataset.key.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function tell(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`Dogwatch answered ${response.status}`);
}

function show(subscription) {
  state.textContent = subscription ? "On: this browser shows your pages." : "Off: this browser shows nothing.";
  on.hidden = subscription !== null;
  off.hidden = subscription === null;
}

async function switchOn(registration) {
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("this browser does not let Dogwatch show notifications; allow it in the site's settings");
  }
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key() });
  const { endpoint, keys } = subscription.toJSON();
  await tell(place.dataset.on, { endpoint, key: keys.p256dh, auth: keys.auth });
  return subscription;
}

async function switchOff(registration) {
  const subscription = await registration.pushManager.getSubscription();
  if (subscription) {
    await tell(place.dataset.off, { endpoint: subscription.endpoint });
    await subscription.unsubscribe();
  }
  return null;
}

async function start() {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    throw new Error(
      window.isSecureContext
        ? "this browser can't show them. On an iPhone, first add Dogwatch to the home screen"
        : "this page did not come over https, and browsers show notifications of no other",
    );
  }
  const registration = await navigator.serviceWorker.register(place.dataset.worker, { scope: "/" });
  await navigator.serviceWorker.ready;
  show(await registration.pushManager.getSubscription());
  const act = (button, work) =>
    button.addEventListener("click", () => {
      button.disabled = true;
      work(registration).then(show, fail).finally(() => (button.disabled = false));
    });
  act(on, switchOn);
  act(off, switchOff);
}

function fail(error) {
  state.textContent = `It does not work here: ${error.message}.`;
}

start().catch(fail);
