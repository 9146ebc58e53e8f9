// Asks for the state every second; the answer is a word while nothing changed.
import { get } from "./api.js";
import { drawCalls, refreshOpenCall } from "./calls.js";
import { connectPanels, drawErrors, drawNumbers, drawRegistrations, drawTrouble } from "./panels.js";

const POLL_MS = 1000;

let version = "";
let timer = 0;

async function refresh() {
  clearTimeout(timer);
  try {
    const state = await get(`/state?version=${version}`);
    link("is-up", "running");
    if (!state.unchanged) await draw(state);
    version = state.version;
  } catch {
    link("is-down", "the sandbox does not answer");
  }
  timer = setTimeout(refresh, POLL_MS);
}

async function draw(state) {
  drawNumbers(state.numbers);
  drawRegistrations(state.registrations, state.credentials);
  drawTrouble(state.trouble);
  drawErrors(state.errors);
  drawCalls(state.calls);
  await refreshOpenCall();
}

function link(kind, words) {
  const pill = document.getElementById("link");
  pill.className = `pill ${kind}`;
  pill.textContent = words;
}

connectPanels(refresh);
refresh();
