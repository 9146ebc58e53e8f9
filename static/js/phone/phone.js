// Carries out the machine's commands and turns what happens into its events. What to do is decided in machine.js.

import { get, post } from "../lib/api.js";
import { oneAtATime } from "../lib/one_at_a_time.js";
import { live, notice } from "../lib/page.js";
import { deskCommands, deskOf, intentOf, sendWrapUp } from "./commands/desk.js";
import { diallingCommands } from "./commands/dialling.js";
import { gateCommands } from "./commands/gate.js";
import { recordingCommands } from "./commands/recording.js";
import { talkCommands } from "./commands/talk.js";
import { kindOf } from "./desk.js";
import { bodyOf, eventOf, isDue } from "./heartbeat.js";
import { Hands } from "./hands.js";
import { Leader } from "./leader.js";
import { hasLiveCall, INITIAL, step } from "./machine.js";
import { askForMicrophone, watchMicrophone } from "./microphone.js";
import { Ringer } from "./ringer.js";
import { TelnyxLine } from "./telnyx_line.js";
import { View } from "./views/view.js";

/** Phases of a call in which it is this phone's, and not only rings here. */
const TALKED = new Set(["placing", "talking", "recovering", "ending"]);
const PHONE_ID = "curbe.phone-id";
/** The token is renewed this long before it ends, should the SDK's own warning not come. */
const RENEW_BEFORE_MS = 5 * 60_000;
const RENEW_AGAIN_MS = 15_000;
/** The server asks Telnyx twice, 8 s each, before it gives up; who goes away sooner is granted a phone behind his back. */
const CLAIM_WITHIN_MS = 20_000;
/** A decline must not keep the phone ringing because the server is slow. */
const DECLINE_WITHIN_MS = 2_000;
/** Past this the SDK's own hang-up is the quicker way out. */
const END_WITHIN_MS = 3_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Phone {
  #root;
  #state = INITIAL;
  #view;
  #line;
  #leader;
  #ringer = new Ringer();
  #timers = new Map();
  #grant = null;
  /** The last choice that was sent; the next one waits for its answer. */
  #chosen = Promise.resolve();
  #phoneId = phoneIdOfThisBrowser();
  #commands;

  constructor(root) {
    this.#root = root;
    this.#view = new View(root);
    this.#line = new TelnyxLine((event) => this.#on(event));
    this.#leader = new Leader(root.dataset.agent, (event) => this.#on(event));
    this.#state = { ...INITIAL, intent: root.querySelector("#intent").value };
    const parts = { tell: (event) => this.#on(event), view: this.#view, line: this.#line };
    this.#commands = {
      ...this.#own(),
      ...recordingCommands(parts),
      ...talkCommands(parts),
      ...diallingCommands(parts),
      ...deskCommands(parts),
      ...gateCommands(parts),
    };
  }

  start() {
    new Hands(this.#root, this.#view, {
      tell: (event) => this.#on(event),
      state: () => this.#state,
      showTargets: () => this.#commands.showTargets(),
    }).connect();
    this.#listen();
    watchMicrophone(() => this.#commands.checkMicrophone());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#commands.showDevices());
    let tickedAtMs = Date.now();
    new Worker(new URL("./heartbeat_worker.js", import.meta.url)).onmessage = () => {
      const sinceMs = Date.now() - tickedAtMs;
      tickedAtMs = Date.now();
      this.#on({ type: "tick", sinceMs });
    };
    this.#fetchMe();
    this.#commands.fetchCallerIds();
    this.#commands.recallGate();
    this.#on({ type: "start" });
  }

  #on(event) {
    const before = this.#state;
    const [state, commands] = step(before, event);
    this.#state = state;
    if (state !== before) this.#draw(before);
    for (const command of commands) this.#commands[command.do](command);
  }

  #draw(before) {
    const [was, is] = [before, this.#state];
    this.#view.draw(is);
    if (hasLiveCall(was) !== hasLiveCall(is)) this.#leader.sayBusy(hasLiveCall(is));
    if (was.call?.phase === is.call?.phase) return;
    const wasHere = TALKED.has(was.call?.phase) && was.call.why !== "declined";
    const detail = { phase: is.call?.phase ?? "", callId: is.call?.callId ?? "", wasHere };
    document.dispatchEvent(new CustomEvent("curbe:call", { detail }));
    if (is.call?.phase === "ended" && is.call.callId) this.#commands.sendQuality({ callId: is.call.callId });
  }

  #listen() {
    // Sound and notifications may be asked for only when the person touches the page.
    document.addEventListener("pointerdown", () => this.#ringer.unlock(), { once: true });
    document.addEventListener("keydown", () => this.#ringer.unlock(), { once: true });
    document.addEventListener("visibilitychange", () => document.hidden || this.#fetchMe());
    window.addEventListener("pagehide", () => this.#sayGoodbye());
    live?.addEventListener("push", ({ detail }) => this.#onPush(detail));
    live?.addEventListener("up", () => {
      this.#on({ type: "socket", isUp: true });
      this.#on({ type: "talk.missed" });
      this.#fetchMe();
    });
    live?.addEventListener("down", () => this.#on({ type: "socket", isUp: false }));
  }

  #onPush({ type, call_id: callId, agent_id: agentId, presence, phone_id: phoneId, claimed_us: claimedUs, outcome }) {
    const isMe = agentId === this.#root.dataset.agent;
    if (type === "agent.presence" && isMe) {
      this.#on({ type: "presence", presence });
      // Who rings or talks has no wrap-up and no break.
      if (presence !== "RINGING") this.#fetchMe();
    }
    if (type === "agent.presence" && !isMe && this.#state.panel === "transfer") this.#commands.showTargets();
    if (type === "agent.intent" && isMe) this.#fetchMe();
    if (type === "phone.claimed")
      this.#on({ type: "phone.claimed", phoneId, mine: this.#phoneId, claimedUs: Number(claimedUs) });
    if (["call.updated", "call.answered", "call.ended"].includes(type)) this.#on({ type: "talk.changed", callId });
    if (type === "call.ended") this.#on({ type: "server.call-ended", callId });
    if (type === "offer.ended" && outcome !== "answered") this.#on({ type: "server.offer-ended", callId });
    if (type === "call.answered" && this.#state.call?.callId === callId) this.#showCaller({ callId });
  }

  // An older word must not come after a newer one: not to the server, and not from it.
  #fetchMe = oneAtATime(async () => {
    const answer = await get("/api/agents/me");
    const { status, body } = answer;
    if (status === 200) {
      const callId = body.call?.stage === "active" ? body.call.id : "";
      const { presence } = body;
      this.#on({ type: "me", presence, intent: intentOf(body), callId, desk: deskOf(answer) });
    } else if (isSignedOut(status)) this.#on({ type: "claim.signed-out" });
  });

  // Commands of machine.js, by their names; those about the call, dialling, the desk and the devices have their own files.
  #own = () => ({
    checkMicrophone: async () => {
      // While a call is up the microphone is open, and needs no question.
      if (hasLiveCall(this.#state)) return;
      if (this.#state.microphone !== "granted") this.#on({ type: "microphone", is: "asked" });
      this.#on({ type: "microphone", is: await askForMicrophone() });
      if (this.#state.gate.isOpen && this.#state.microphone === "granted") this.#commands.openMeter();
    },
    askForLock: () => this.#leader.ask(),
    stealLock: () => this.#leader.steal(),
    claim: ({ takeOver }) => this.#claim(takeOver),
    connect: () => this.#connect(),
    disconnect: () => this.#line.disconnect(),
    renewToken: () => this.#renewToken(),
    beat: () => this.#beat(),
    fetchMe: () => this.#fetchMe(),
    refetchTalk: () => this.#on({ type: "talk.missed" }),
    chooseIntent: ({ intent, before }) => {
      const send = () => this.#chooseIntent(intent, before);
      this.#chosen = this.#chosen.then(send, send);
    },
    tellServerIsAway: () => {
      notice("serverAway", true);
      this.#later({ name: "notice-away", afterMs: 6_000, event: null });
    },
    showCaller: (command) => this.#showCaller(command),
    ring: () => this.#ringer.start(this.#view.wordsOf("incoming")),
    silence: () => this.#ringer.stop(),
    reportIds: ({ sdkId, callId }) => {
      if (callId) post(`/api/webrtc/calls/${callId}/ids`, { sdkCallId: sdkId, ...this.#line.ids(sdkId) });
    },
    answer: ({ sdkId }) => this.#line.answer(sdkId),
    hangup: ({ sdkId }) => this.#line.hangup(sdkId),
    endLocally: ({ sdkId }) => this.#line.endLocally(sdkId),
    mute: ({ sdkId, muted }) => this.#line.mute(sdkId, muted),
    digits: ({ sdkId, digits }) => this.#line.digits(sdkId, digits),
    decline: async ({ sdkId, callId }) => {
      if (callId) await post(`/api/webrtc/calls/${callId}/decline`, {}, { timeoutMs: DECLINE_WITHIN_MS });
      this.#on({ type: "decline.told", sdkId });
    },
    endByServer: async ({ sdkId, callId }) => {
      const status = await this.#endByServer(callId || sdkId, END_WITHIN_MS);
      this.#on({ type: status === 200 ? "end.done" : "end.failed", sdkId });
    },
    endHeld: async ({ callId }) => {
      const status = await this.#endByServer(callId);
      // A call that is not there is over.
      this.#on({ type: status === 200 || status === 404 ? "end.held.done" : "end.held.failed", callId });
    },
    later: (command) => this.#later(command),
    forget: ({ name }) => {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
    },
  });

  #later({ name, afterMs, event }) {
    clearTimeout(this.#timers.get(name));
    const run = () => (event ? this.#on(event) : notice("serverAway", false));
    this.#timers.set(name, setTimeout(run, Math.min(afterMs, LONGEST_TIMER_MS)));
  }

  async #endByServer(anyId, timeoutMs) {
    const body = { webrtcCallId: anyId, companyId: this.#root.dataset.company };
    const { status } = await post("/api/webrtc/server-hangup", body, { timeoutMs });
    return status;
  }

  async #claim(takeOver) {
    const { oursUs } = this.#state;
    const { status, body } = await this.#askForToken(takeOver);
    if (status === 200) {
      this.#grant = body;
      this.#renewInTime();
    }
    this.#on({ type: CLAIMED[status] ?? "claim.failed", oursUs, claimedUs: body.claimed_us });
  }

  #askForToken(takeOver) {
    return post("/api/webrtc/token", { phoneId: this.#phoneId, takeOver }, { timeoutMs: CLAIM_WITHIN_MS });
  }

  #connect() {
    const { login_token: loginToken, host, ice_servers: iceServers } = this.#grant;
    this.#line.connect({ loginToken, host: host ?? "", iceServers });
  }

  async #renewToken() {
    const { oursUs } = this.#state;
    const { status, body } = await this.#askForToken(false);
    if (status === 200) {
      this.#grant = body;
      this.#renewInTime();
      await this.#line.renew(body.login_token);
    } else if (status === 409) this.#on({ type: "claim.elsewhere", oursUs });
    else if (isSignedOut(status)) this.#on({ type: "claim.signed-out" });
    else this.#later({ name: "renew", afterMs: RENEW_AGAIN_MS, event: { type: "token.expiring" } });
  }

  #renewInTime() {
    const endsInMs = new Date(this.#grant.expires_at) - Date.now();
    const afterMs = Math.max(60_000, endsInMs - RENEW_BEFORE_MS);
    this.#later({ name: "renew", afterMs, event: { type: "token.expiring" } });
  }

  #beat = oneAtATime(async () => {
    if (!isDue(this.#state) || !this.#grant) return;
    const asked = this.#state;
    const body = bodyOf(asked, this.#who());
    const sentAtMs = performance.now();
    const answer = await post("/api/agents/heartbeat", body, { ticket: this.#grant.ticket });
    this.#on(eventOf(answer, asked, performance.now() - sentAtMs));
  });

  // A page that goes says so, and the agent is not rung for the half minute in which it might just be slow. A reload
  // says it too, and is back within a second.
  #sayGoodbye() {
    // What was typed after the call is kept, whoever closes the page.
    if (this.#view.desk.isDirty) sendWrapUp("wrap-up", this.#view.desk.said, { keepalive: true });
    if (!isDue(this.#state) || !this.#grant) return;
    const body = { ...bodyOf(this.#state, this.#who()), ready: false };
    post("/api/agents/heartbeat", body, { ticket: this.#grant.ticket, keepalive: true });
  }

  #who() {
    return {
      agentId: Number(this.#root.dataset.agent),
      companyId: this.#root.dataset.company,
      phoneId: this.#phoneId,
      now: new Date(),
    };
  }

  async #chooseIntent(intent, before) {
    const reason = intent.split(":")[1];
    const { status, body } = await post("/api/agents/intent", {
      intent: kindOf(intent),
      ...(reason ? { reason } : {}),
    });
    if (status === 200) {
      this.#fetchMe();
      return this.#on({ type: "intent.kept", intent, presence: body.presence, pending: body.pending ?? null });
    }
    if (isSignedOut(status)) this.#on({ type: "claim.signed-out" });
    return this.#on({ type: "intent.failed", intent, before });
  }

  async #showCaller({ callId, sdkId }) {
    // What the network says stands there until the card comes, and if it never does.
    if (sdkId && !this.#state.call?.answeredAtMs) this.#view.nameCaller(this.#line.callerOf(sdkId));
    if (!callId) return undefined;
    await window.htmx.ajax("GET", `/phone/incoming/${callId}`, {
      target: "#caller",
      swap: "outerHTML",
      select: "#caller",
    });
    const card = this.#root.querySelector("#caller");
    if (card.dataset.answeredAt) {
      // This computer's clock may be wrong: only the difference of the server's two moments is used.
      const talkedMs = Date.parse(card.dataset.now) - Date.parse(card.dataset.answeredAt);
      this.#on({ type: "call.answered-at", callId, atMs: Date.now() - Math.max(0, talkedMs) });
    }
    const lines = [...card.querySelectorAll("p")].map((line) => line.textContent.trim());
    return this.#ringer.notify(lines[0] ?? "", lines.slice(1).join(" · "));
  }
}

const CLAIMED = {
  200: "claim.granted",
  401: "claim.signed-out",
  403: "claim.signed-out",
  409: "claim.elsewhere",
  503: "claim.no-credential",
};

function isSignedOut(status) {
  return status === 401 || status === 403;
}

/** One id per browser: its tabs settle among themselves (Web Locks) which of them is the phone. */
function phoneIdOfThisBrowser() {
  const known = localStorage.getItem(PHONE_ID);
  if (known) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(PHONE_ID, made);
  return made;
}
