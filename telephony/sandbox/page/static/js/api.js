// Requests to the sandbox's own control addresses.

export class Refused extends Error {}

export async function get(path) {
  return answer(await fetch(`/_sandbox${path}`, { cache: "no-store" }));
}

export async function send(path, body = {}, method = "POST") {
  return answer(await fetch(`/_sandbox${path}`, { method, body: JSON.stringify(body) }));
}

async function answer(response) {
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Refused(body?.error ?? `The sandbox answered ${response.status}.`);
  return body;
}
