// Records a greeting by the microphone, lets the person hear it, and sends it. Without a microphone a file does the same.

const PREFERRED = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const SEND_WITHIN_MS = 30_000;
const KEPT = 204;

/** What is being recorded: {box, recorder, tick}; null while nothing is. */
let recording = null;
/** The browser asks the person for the microphone: a second press of the button is no second recording. */
let isAsking = false;
let made = null;

export function connect() {
  showTools();
  document.body.addEventListener("htmx:afterSettle", showTools);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-recorder-start], [data-recorder-stop], [data-recorder-send]");
    if (!button) return;
    const box = button.closest("[data-recorder]");
    if (button.matches("[data-recorder-start]")) start(box);
    else if (button.matches("[data-recorder-stop]")) stop();
    else send(box, button);
  });
  // A call that comes needs the microphone more.
  document.addEventListener("curbe:call", () => isInCall() && stop());
}

function showTools() {
  const tools = document.querySelector("[data-recorder-tools]");
  if (tools && window.MediaRecorder && navigator.mediaDevices) tools.hidden = false;
  // The page that it is recorded on is gone, though there may be another one of its kind.
  if (recording && !recording.box.isConnected) stop();
}

async function start(box) {
  if (isInCall()) return say(box, "busy");
  if (isAsking || recording) return undefined;
  say(box, "");
  const stream = await microphone();
  if (!stream) return say(box, "denied");
  // The person walked on while the browser asked, or a call came.
  if (!box.isConnected) return release(stream);
  if (isInCall()) {
    release(stream);
    return say(box, "busy");
  }
  return record(box, stream);
}

async function microphone() {
  isAsking = true;
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return null;
  } finally {
    isAsking = false;
  }
}

function record(box, stream) {
  const mimeType = PREFERRED.find((type) => MediaRecorder.isTypeSupported(type));
  const pieces = [];
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.onstop = () => {
    release(stream);
    onStopped(box, new Blob(pieces, { type: recorder.mimeType }));
  };
  recorder.start();
  recording = { box, recorder, tick: tickOf(box) };
  show(box, { start: false, stop: true, audio: false, send: false });
  box.querySelector("[data-recorder-stop]").focus();
}

function tickOf(box) {
  const begunMs = performance.now();
  const longestS = Number(box.dataset.longest);
  return setInterval(() => {
    const seconds = Math.floor((performance.now() - begunMs) / 1000);
    box.querySelector("[data-recorder-time]").textContent = clock(seconds);
    if (seconds >= longestS) stop();
  }, 250);
}

function stop() {
  if (recording?.recorder.state === "recording") recording.recorder.stop();
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function onStopped(box, audio) {
  clearInterval(recording.tick);
  recording = null;
  if (!box.isConnected) return;
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
    if (response.status === KEPT) return window.htmx.ajax("GET", location.pathname, walk());
    // Whoever is logged out is led to the log-in, which answers as if all were well.
    if (response.redirected) return say(box, "stranger");
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
