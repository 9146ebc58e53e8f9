// Records a greeting by the microphone, lets the person hear it, and sends it. Without a microphone a file does the same.

const PREFERRED = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const SEND_WITHIN_MS = 30_000;

let recorder = null;
let tick = null;
let made = null;

export function connect() {
  showTools();
  document.body.addEventListener("htmx:afterSettle", showTools);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-recorder-start], [data-recorder-stop], [data-recorder-send]");
    if (!button) return;
    const box = button.closest("[data-recorder]");
    if (button.matches("[data-recorder-start]")) start(box);
    else if (button.matches("[data-recorder-stop]")) recorder?.stop();
    else send(box, button);
  });
  // A call that comes needs the microphone more.
  document.addEventListener("curbe:call", () => isInCall() && recorder?.stop());
}

function showTools() {
  const tools = document.querySelector("[data-recorder-tools]");
  if (tools && window.MediaRecorder && navigator.mediaDevices) tools.hidden = false;
  // The page that it was recorded on is gone.
  if (!tools) recorder?.stop();
}

async function start(box) {
  if (isInCall()) return say(box, "busy");
  say(box, "");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return say(box, "denied");
  }
  const mimeType = PREFERRED.find((type) => MediaRecorder.isTypeSupported(type));
  const pieces = [];
  recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.onstop = () => {
    stream.getTracks().forEach((track) => track.stop());
    onStopped(box, new Blob(pieces, { type: recorder.mimeType }));
  };
  recorder.start();
  return onStarted(box);
}

function onStarted(box) {
  const begunMs = performance.now();
  const longestS = Number(box.dataset.longest);
  show(box, { start: false, stop: true, audio: false, send: false });
  const stop = box.querySelector("[data-recorder-stop]");
  stop.focus();
  tick = setInterval(() => {
    const seconds = Math.floor((performance.now() - begunMs) / 1000);
    box.querySelector("[data-recorder-time]").textContent = clock(seconds);
    if (seconds >= longestS) recorder.stop();
  }, 250);
}

function onStopped(box, audio) {
  clearInterval(tick);
  recorder = null;
  made = audio;
  const player = box.querySelector("[data-recorder-audio]");
  URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(audio);
  show(box, { start: true, stop: false, audio: true, send: true });
  box.querySelector("[data-recorder-send]").focus();
}

async function send(box, button) {
  const form = box.querySelector("[data-recorder-form]");
  const body = new FormData();
  body.append("audio", made, "greeting");
  body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
  button.disabled = true;
  try {
    const headers = { Accept: "application/json", "X-Curbe-Company": document.body.dataset.company ?? "" };
    const signal = AbortSignal.timeout(SEND_WITHIN_MS);
    const response = await fetch(form.action, { method: "POST", body, headers, credentials: "same-origin", signal });
    if (response.ok) return window.htmx.ajax("GET", location.pathname, walk());
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const told = isJson ? (await response.json()).error : "";
    return told ? sayWords(box, told) : say(box, "away");
  } catch {
    return say(box, "away");
  } finally {
    button.disabled = false;
  }
}

function walk() {
  return { target: "#main", select: "#main", swap: "outerHTML" };
}

function show(box, parts) {
  for (const [name, isShown] of Object.entries(parts)) box.querySelector(`[data-recorder-${name}]`).hidden = !isShown;
}

function say(box, what) {
  sayWords(box, what ? box.querySelector(`[data-recorder-said="${what}"]`).textContent : "");
}

function sayWords(box, words) {
  const line = box.querySelector("[data-recorder-wrong]");
  line.textContent = words;
  line.hidden = words === "";
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function isInCall() {
  return document.documentElement.hasAttribute("data-in-call");
}
