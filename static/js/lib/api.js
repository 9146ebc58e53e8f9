// Requests to our own server. Addresses are those of the API (/api/docs).

const TIMEOUT_MS = 8_000;

/**
 * POST JSON; return {status, body, serverMs}. Status 0: nothing answered in time. `serverMs` is the server's clock when it
 * answered, to the second. Never throws.
 */
export function post(path, body = {}, { ticket = "", timeoutMs = TIMEOUT_MS, keepalive = false } = {}) {
  const headers = { "Content-Type": "application/json" };
  // A ticket names agent, company and phone by itself, and outlives the session's cookie.
  if (ticket) headers.Authorization = `Phone ${ticket}`;
  else headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body), keepalive }, timeoutMs);
}

export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } }, TIMEOUT_MS);
}

async function ask(path, options, timeoutMs) {
  try {
    const response = await fetch(path, {
      ...options,
      headers: { ...options.headers, ...pageCompany() },
      credentials: "same-origin",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const serverMs = Date.parse(response.headers.get("date") ?? "") || Date.now();
    return { status: response.status, body: isJson ? await response.json() : {}, serverMs };
  } catch {
    return { status: 0, body: {}, serverMs: Date.now() };
  }
}

/** Return the moment that the server names by this computer's clock, which may be wrong by hours. */
export function localMs(moment, serverMs) {
  const skewMs = Date.now() - serverMs;
  // The server's clock comes to the second: a clock that is right is left alone.
  return Date.parse(moment) + (Math.abs(skewMs) > 2_000 ? skewMs : 0);
}

/** A page keeps its company while another tab opens another one: what it asks, it asks there. */
function pageCompany() {
  const company = document.body.dataset.company;
  return company ? { "X-Curbe-Company": company } : {};
}
