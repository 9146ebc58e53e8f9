// Requests that say how things stand must arrive in the order in which they were said.

/**
 * Return a function that runs `send` (async), and never twice at once. Asked for while it runs, it runs once more
 * afterwards, however often it was asked.
 */
export function oneAtATime(send) {
  let isRunning = false;
  let isWanted = false;
  return async function run() {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (isWanted) {
        isWanted = false;
        await send();
      }
    } finally {
      isRunning = false;
    }
  };
}
