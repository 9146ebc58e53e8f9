// The clock of the heartbeat. Browsers slow the timers of hidden pages to one a minute, but not those of workers.

const BEAT_EVERY_MS = 10_000; // three missed ones and the agent is offline

setInterval(() => postMessage("beat"), BEAT_EVERY_MS);
