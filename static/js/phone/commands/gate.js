// What the machine asks for when the devices are checked.

import { chooseDevice, chosenDevices, HEARD_LEVEL, Meter, Tone } from "../devices.js";
import { PASSED_FOR_MS } from "../gate.js";

const PASSED = "curbe.devices-passed";

export function gateCommands({ tell, view, line }) {
  const meter = new Meter((level) => {
    view.gate.level(level);
    if (level > HEARD_LEVEL) tell({ type: "gate.level" });
  });
  const tone = new Tone();

  const commands = {
    /** Look at what this browser remembers, before anything else. */
    recallGate: () => {
      const passedAtMs = Date.parse(localStorage.getItem(PASSED) ?? "");
      if (Date.now() - passedAtMs < PASSED_FOR_MS) tell({ type: "gate.remembered" });
      tell({ type: "gate.notifications", is: window.Notification?.permission ?? "denied" });
      line.useDevices(chosenDevices());
    },
    rememberGate: () => localStorage.setItem(PASSED, new Date().toISOString()),
    openMeter: async () => {
      try {
        await meter.open(chosenDevices().microphone);
        commands.showDevices();
      } catch {
        // The permission's own check says what is wrong.
      }
    },
    closeMeter: () => {
      meter.close();
      tone.stop();
      view.gate.level(0);
    },
    playTone: () => tone.start(chosenDevices().speaker),
    stopTone: () => tone.stop(),
    askToNotify: async () => {
      tell({ type: "gate.notifications", is: (await window.Notification?.requestPermission()) ?? "denied" });
    },
    showDevices: async () => {
      const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
      view.gate.showDevices(devices, chosenDevices());
    },
    useDevice: ({ kind, id }) => {
      line.useDevices(chooseDevice(kind, id));
      if (kind === "microphone" && meter.isOpen) commands.openMeter();
      if (kind === "speaker") tone.stop();
    },
  };
  return commands;
}
