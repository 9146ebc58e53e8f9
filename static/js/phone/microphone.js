// Whether this page may hear the agent, asked before the first call and followed afterwards.

/** Ask for the microphone and close it again; return granted, refused or missing. */
export async function askForMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) return "refused";
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    return "granted";
  } catch (error) {
    return error.name === "NotFoundError" || error.name === "OverconstrainedError" ? "missing" : "refused";
  }
}

/** Call `changed()` whenever the permission or the plugged-in devices change. */
export async function watchMicrophone(changed) {
  navigator.mediaDevices?.addEventListener("devicechange", changed);
  try {
    const permission = await navigator.permissions.query({ name: "microphone" });
    permission.addEventListener("change", changed);
  } catch {
    // Not every browser can be asked about the microphone; there the next answer tells.
  }
}
