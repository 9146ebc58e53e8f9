// The one script of every page: connects the behaviours, then the phone if this person has one.

import * as blanks from "./behaviors/blanks.js";
import * as copy from "./behaviors/copy.js";
import * as exporting from "./behaviors/export.js";
import * as focus from "./behaviors/focus.js";
import * as liveRegions from "./behaviors/live_regions.js";
import * as menu from "./behaviors/menu.js";
import * as once from "./behaviors/once.js";
import * as player from "./behaviors/player.js";
import * as reasons from "./behaviors/reasons.js";
import * as recorder from "./behaviors/recorder.js";
import * as rows from "./behaviors/rows.js";
import * as ticks from "./behaviors/ticks.js";
import * as unloads from "./behaviors/unloads.js";
import * as voicemail from "./behaviors/voicemail.js";
import * as walk from "./behaviors/walk.js";
import { live } from "./lib/page.js";

for (const behavior of [
  blanks,
  copy,
  exporting,
  focus,
  liveRegions,
  menu,
  once,
  player,
  reasons,
  recorder,
  rows,
  ticks,
  unloads,
  voicemail,
  walk,
])
  behavior.connect();

const root = document.querySelector("#phone");
if (root) {
  const { Phone } = await import("./phone/phone.js");
  new Phone(root).start();
}

live?.connect();
window.addEventListener("online", () => live?.hurry());
document.addEventListener("visibilitychange", () => document.hidden || live?.hurry());
