// The only file that touches @telnyx/webrtc 2.27 (UMD global TelnyxWebRTC). It obeys commands, tells events, and guards
// the SDK's traps; each guard names what it guards against (observed, docs/telnyx-assumptions.md).

import { compared, measured } from "./measuring.js";

const MICROPHONE_REFUSED = new Set([42001, 42002, 42003]);
/** Reconnection given up, gateway failed, log-in refused: only a new client with a new token helps. */
const LINE_DEAD = new Set([45003, 45004, 46001, 46002, 46003]);
const SESSION_NOT_REATTACHED = 48501;
const TOKEN_EXPIRING = 34001;
const NO_AUTO_RECONNECT = 36005;
const CALL_HEADER = "x-curbe-call";
const OVER = new Set(["hangup", "destroy", "purge"]);
const KNOWN_CALLS = "curbe.line.calls";
/** Keys that follow each other faster are heard as one by many machines. */
const KEY_EVERY_MS = 180;
/** What people write for a pause in a pasted string of keys. */
const PAUSE_MS = Object.freeze({ w: 500, W: 1_000 });
const MEASURE_EVERY_MS = 2_000;

export class TelnyxLine {
  #tell;
  #client = null;
  /** sdkId → every call object that the SDK made for it, newest last. */
  #calls = new Map();
  #audio = new Map();
  /** Calls whose end was told already: the first terminal cause wins. */
  #over = new Set();
  /** Calls that were hung up while the socket was down: their BYE was lost, so they may come back. */
  #buried = new Set();
  #devices = { microphone: "", speaker: "" };
  /** sdkId → the clock of its measurements. */
  #measuring = new Map();
  #keys = Promise.resolve();

  /** `tell(event)` gets the events of machine.js. */
  constructor(tell) {
    // The SDK hangs up when a listener of its throws: a mistake of a page must not cost a call.
    this.#tell = (event) => {
      try {
        tell(event);
      } catch (error) {
        reportError(error);
      }
    };
  }

  get isConnected() {
    return Boolean(this.#client?.connected);
  }

  /** `host` is empty for Telnyx; `iceServers` is null for the SDK's own list. */
  connect({ loginToken, host, iceServers }) {
    this.disconnect();
    const client = new window.TelnyxWebRTC.TelnyxRTC({
      login_token: loginToken,
      // After a reload the server offers the call again (attach); a BYE here would end it.
      hangupOnBeforeUnload: false,
      // After a reconnect the reports' debug log would carry the log-in frame with its token.
      debugLogLevel: "error",
      ...(host ? { host } : {}),
      // Reports would go to the sandbox's host, which takes none.
      ...(host.startsWith("ws://") ? { enableCallReports: false } : {}),
      ...(iceServers === null || iceServers === undefined ? {} : { iceServers }),
    });
    this.#client = client;
    const ifCurrent = (handle) => (payload) => this.#client === client && handle(payload);
    client.on(
      "telnyx.ready",
      ifCurrent(() => this.#tell({ type: "line.ready" })),
    );
    client.on(
      "telnyx.socket.close",
      ifCurrent(() => this.#tell({ type: "line.lost" })),
    );
    client.on(
      "telnyx.socket.message",
      ifCurrent((frame) => this.#onFrame(frame)),
    );
    client.on(
      "telnyx.error",
      ifCurrent((payload) => this.#onError(payload)),
    );
    client.on(
      "telnyx.warning",
      ifCurrent((payload) => this.#onWarning(payload)),
    );
    client.on(
      "telnyx.notification",
      ifCurrent((notification) => this.#onNotification(notification)),
    );
    client.connect();
  }

  /** Replace the token, and connect again if the line gave up; the calls on it notice nothing. */
  async renew(loginToken) {
    const client = this.#client;
    if (client === null) return;
    try {
      if (client.connected) {
        await client.login({ creds: { login_token: loginToken } });
        return;
      }
      // login() of a client without a socket does nothing at all, not even keep the token.
      client.options.login_token = loginToken;
      await client.connect();
    } catch {
      this.#tell({ type: "line.dead" });
    }
  }

  disconnect() {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    // disconnect() sends NORMAL_CLEARING even for a call that only rings, and TeXML would then ring it once more.
    for (const sdkId of this.#calls.keys()) if (this.#newest(sdkId)?.state === "ringing") this.#newest(sdkId).hangup();
    client.disconnect();
    for (const sdkId of [...this.#calls.keys()]) this.#tellOver(sdkId, { cause: "SESSION_NOT_REATTACHED" });
  }

  /** Place a call that was announced. The SDK's own id is given to it, so that nothing has to wait for it. */
  place({ sdkId, callId, to, from }) {
    if (!this.isConnected) return this.#tellOver(sdkId, { cause: "SESSION_NOT_REATTACHED" });
    const { microphone, speaker } = this.#devices;
    const call = this.#client.newCall({
      id: sdkId,
      destinationNumber: to,
      callerNumber: from,
      customHeaders: [{ name: "X-Curbe-Call", value: callId }],
      audio: true,
      remoteElement: this.#audioFor(sdkId),
      ...(microphone ? { micId: microphone } : {}),
      ...(speaker ? { speakerId: speaker } : {}),
    });
    this.#calls.set(sdkId, [call]);
    return remember(sdkId, { callId });
  }

  /** Speak and listen with these devices, in the calls that are up too; empty ids are the browser's own choice. */
  async useDevices({ microphone, speaker }) {
    const hasNewMicrophone = microphone !== this.#devices.microphone;
    this.#devices = { microphone, speaker };
    for (const sdkId of this.#calls.keys()) {
      if (hasNewMicrophone) await this.#newest(sdkId).setAudioInDevice(microphone || "default");
      await this.#playOn(this.#audioFor(sdkId));
    }
  }

  async answer(sdkId) {
    const call = this.#newest(sdkId);
    // answer() on a call that was cancelled opens the microphone, leaves it open, and tells nobody.
    if (call?.state !== "ringing") return this.#tellOver(sdkId, {});
    await call.answer({ remoteElement: this.#audioFor(sdkId) });
  }

  /** End our leg by a BYE (USER_BUSY before the answer, NORMAL_CLEARING after it). */
  hangup(sdkId) {
    const call = this.#newest(sdkId);
    if (!call || this.#over.has(sdkId)) return this.#tellOver(sdkId, {});
    if (!this.isConnected) {
      // A BYE without a socket is lost for ever; if the server re-attaches the call, it is ended then.
      this.#buried.add(sdkId);
      return this.endLocally(sdkId);
    }
    // A second hangup() would send a second BYE.
    if (OVER.has(call.state)) return undefined;
    return call.hangup();
  }

  /** End here without a BYE: the server has ended the legs already. */
  endLocally(sdkId) {
    for (const call of this.#calls.get(sdkId) ?? []) if (call.state !== "destroy") call.hangup({}, false);
    this.#tellOver(sdkId, {});
  }

  mute(sdkId, muted) {
    const call = this.#newest(sdkId);
    // Before the answer there is no microphone to close.
    if (!call?.localStream) return;
    if (muted) call.muteAudio();
    else call.unmuteAudio();
    if (!this.#over.has(sdkId)) remember(sdkId, { muted });
  }

  /** Press these keys one after another, behind those that are still to be pressed. */
  digits(sdkId, digits) {
    for (const digit of digits) {
      this.#keys = this.#keys.then(async () => {
        if (!PAUSE_MS[digit]) this.#newest(sdkId)?.dtmf(digit);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS[digit] ?? KEY_EVERY_MS));
      });
    }
  }

  /** The ids that the browser sees of its own leg; any may be missing. */
  ids(sdkId) {
    const ids = this.#newest(sdkId)?.telnyxIDs ?? {};
    return { legId: ids.telnyxLegId, controlId: ids.telnyxCallControlId, sessionId: ids.telnyxSessionId };
  }

  /** Who calls as far as the network knows; for a call that carries no id of ours. */
  callerOf(sdkId) {
    const { remoteCallerName = "", remoteCallerNumber = "" } = this.#newest(sdkId)?.options ?? {};
    return remoteCallerName || remoteCallerNumber;
  }

  #onNotification({ type, call, error }) {
    if (type === "userMediaError" && call)
      this.#tell({ type: "answer.no-microphone", sdkId: call.id, error: String(error) });
    if (type !== "callUpdate" || !call) return;
    const sdkId = call.id;
    // A call that came back keeps the mark of it to its end, and its end is no meeting.
    const isGoing = OVER.has(call.state);
    if (!isGoing && (call.state === "ringing" || call.state === "recovering" || call.recoveredCallId)) this.#meet(call);
    if (call.state === "active") this.#onActive(call);
    if (isGoing) {
      // The same invite, delivered twice, makes two objects with one id; a re-attach replaces one by another.
      if (call === this.#newest(sdkId) || !this.#calls.has(sdkId)) this.#tellOver(sdkId, call);
    }
  }

  #meet(call) {
    const sdkId = call.id;
    const known = this.#calls.get(sdkId) ?? [];
    if (known.includes(call)) return;
    const isRecovered = Boolean(call.recoveredCallId) || call.state === "recovering";
    if (this.#over.has(sdkId) && !isRecovered) return;
    this.#over.delete(sdkId);
    this.#calls.set(sdkId, [...known, call]);
    // Whoever was muted is not heard for the moment between the sound's coming back and its being told: the SDK keeps the
    // wish until there is a microphone.
    if (isRecovered && remembered(sdkId).muted) call.muteAudio();
    if (this.#buried.has(sdkId)) return;
    this.#tell({
      type: "invite",
      sdkId,
      callId: callIdOf(call) || remembered(sdkId).callId,
      recovered: isRecovered,
      muted: remembered(sdkId).muted,
      atMs: Date.now(),
    });
    remember(sdkId, { callId: callIdOf(call) || remembered(sdkId).callId });
  }

  #onActive(call) {
    const sdkId = call.id;
    if (this.#buried.has(sdkId)) {
      this.#buried.delete(sdkId);
      call.hangup();
      return;
    }
    const audio = this.#audioFor(sdkId);
    // A call that the SDK re-attached by itself knows no element of ours.
    if (call.remoteStream && audio.srcObject !== call.remoteStream) audio.srcObject = call.remoteStream;
    this.#playOn(audio);
    this.#speakWith(call);
    this.#measure(sdkId);
    this.#tell({ type: "call.active", sdkId, atMs: Date.now() });
  }

  #onError({ error, callId }) {
    const code = Number(error?.code);
    if (MICROPHONE_REFUSED.has(code) && callId)
      this.#tell({ type: "answer.no-microphone", sdkId: callId, error: error.message });
    if (code === SESSION_NOT_REATTACHED && callId) this.#tellOver(callId, { cause: "SESSION_NOT_REATTACHED" });
    if (LINE_DEAD.has(code)) this.#tell({ type: "line.dead" });
  }

  #onWarning({ warning, callId }) {
    const code = Number(warning?.code);
    if (callId) this.#tell({ type: "line.warning", sdkId: callId, code, atMs: Date.now() });
    if (code === TOKEN_EXPIRING) this.#tell({ type: "token.expiring" });
    if (code === NO_AUTO_RECONNECT) this.#tell({ type: "line.dead" });
  }

  #onFrame(frame) {
    // A punted client has purged its calls and does not reconnect by itself.
    if (frame?.method === "telnyx_rtc.punt") this.#tell({ type: "line.dead" });
    // The ids of a call out come with its ringing, of which the SDK tells in no other way.
    if (frame?.method === "telnyx_rtc.ringing" && frame.params?.callID) {
      setTimeout(() => this.#tell({ type: "line.rings", sdkId: frame.params.callID }));
    }
  }

  #tellOver(sdkId, { cause = "", sipCode = "" }) {
    if (this.#over.has(sdkId)) return;
    this.#over.add(sdkId);
    this.#tell({ type: "call.over", sdkId, cause, sipCode: String(sipCode ?? "") });
    this.#forget(sdkId);
  }

  #forget(sdkId) {
    const left = this.#calls.get(sdkId) ?? [];
    this.#calls.delete(sdkId);
    clearInterval(this.#measuring.get(sdkId));
    this.#measuring.delete(sdkId);
    for (const call of left) if (!OVER.has(call.state)) call.hangup({}, false);
    const audio = this.#audio.get(sdkId);
    if (audio) {
      audio.srcObject = null;
      audio.remove();
    }
    this.#audio.delete(sdkId);
    forget(sdkId);
  }

  // The SDK takes the microphone of an inbound call without asking which.
  async #speakWith(call) {
    const { microphone } = this.#devices;
    const used = call.localStream?.getAudioTracks()[0]?.getSettings().deviceId;
    if (!microphone || !used || used === microphone) return;
    try {
      await call.setAudioInDevice(microphone);
    } catch {
      // It was unplugged: the browser's own choice goes on.
    }
  }

  async #playOn(audio) {
    const { speaker } = this.#devices;
    if (!audio.setSinkId || audio.sinkId === speaker) return;
    try {
      await audio.setSinkId(speaker);
    } catch {
      // It was unplugged: the browser's own choice goes on.
    }
  }

  #measure(sdkId) {
    if (this.#measuring.has(sdkId)) return;
    let before = null;
    const look = async () => {
      const reports = await this.#newest(sdkId)?.peer?.instance?.getStats();
      if (!reports) return;
      const now = measured([...reports.values()]);
      if (before !== null) this.#tell({ type: "line.measured", sdkId, ...compared(before, now) });
      before = now;
    };
    this.#measuring.set(
      sdkId,
      setInterval(() => look().catch(() => {}), MEASURE_EVERY_MS),
    );
  }

  #newest(sdkId) {
    return this.#calls.get(sdkId)?.at(-1);
  }

  /** One element per call: with a shared one a second call silences the first. */
  #audioFor(sdkId) {
    if (!this.#audio.has(sdkId)) {
      const audio = document.createElement("audio");
      audio.autoplay = true;
      audio.hidden = true;
      audio.dataset.lineAudio = sdkId;
      document.body.append(audio);
      this.#audio.set(sdkId, audio);
    }
    return this.#audio.get(sdkId);
  }
}

function callIdOf(call) {
  const headers = call.options?.customHeaders ?? [];
  return headers.find((header) => header.name?.toLowerCase() === CALL_HEADER)?.value ?? "";
}

// An attach after a reload need not repeat our header, and knows nothing of the mute: both are kept for this tab.

function remembered(sdkId) {
  return { callId: "", muted: false, ...readRemembered()[sdkId] };
}

function remember(sdkId, changes) {
  const known = readRemembered();
  known[sdkId] = { ...known[sdkId], ...changes };
  sessionStorage.setItem(KNOWN_CALLS, JSON.stringify(known));
}

function forget(sdkId) {
  const known = readRemembered();
  delete known[sdkId];
  sessionStorage.setItem(KNOWN_CALLS, JSON.stringify(known));
}

function readRemembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KNOWN_CALLS) ?? "{}");
  } catch {
    return {};
  }
}
