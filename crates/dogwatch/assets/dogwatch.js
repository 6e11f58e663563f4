// Smoother, never needed: swaps the live part of a page when the server says that it looks different,
// and makes a handset ring. Without this file every page and form works by loading anew.

const live = document.getElementById("live");

// ---- the ring of a handset ----

let heard = new Set();
let audio;

function ring() {
  if (navigator.vibrate) navigator.vibrate([400, 200, 400, 200, 400]);
  if (!audio || audio.state !== "running") return;
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

if (live && "handset" in live.dataset) {
  const button = document.getElementById("sound");
  audio = new AudioContext();
  const show = () => { button.hidden = audio.state === "running"; };
  audio.addEventListener("statechange", show);
  show();
  button.addEventListener("click", async () => {
    await audio.resume();
    ring();
  });
  listen();
  // A phone goes on ringing until somebody answers.
  setInterval(() => { if (rings().length) ring(); }, 4000);
}

// ---- the live part of a page ----

if (live && live.dataset.live) {
  const source = new EventSource(live.dataset.live);
  source.addEventListener("fragment", (event) => {
    live.classList.remove("offline");
    // The second press of a 6 must not be taken away under the thumb.
    if (live.querySelector(".sure") && event.data.includes("data-ring")) return;
    const held = document.activeElement && live.contains(document.activeElement) ? document.activeElement.form : null;
    live.innerHTML = event.data;
    if (held) live.querySelector(`form[action="${CSS.escape(held.getAttribute("action"))}"] button`)?.focus();
    if ("handset" in live.dataset) listen();
  });
  source.addEventListener("error", () => live.classList.add("offline"));
  source.addEventListener("open", () => live.classList.remove("offline"));
}
